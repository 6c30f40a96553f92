// Package fakebq is a scripted BigQuery, REST v2 and Storage Read API, for unit
// tests, fault injection and benchmarks. It does not run SQL: a test sets the
// answer of each statement, and the server handles jobs, pages, parameters,
// sessions and errors as the service does. It is as strict as the service, also
// in details that a driver could overlook.
//
//	bq := fakebq.Run(t, fakebq.Options{})
//	bq.On("SELECT name, n FROM t", fakebq.Answer{
//		Fields: []fakebq.Field{{Name: "name", Type: "STRING"}, {Name: "n", Type: "INTEGER"}},
//		Rows:   [][]any{{"Ada", 1}, {nil, 2}},
//	})
//	// ... query through bq.URL() ...
//	if got := bq.Count(fakebq.Query); got != 1 { ... }
//
// # Address
//
// The official client takes a base URL with option.WithEndpoint and resolves
// "projects/..." against it. Without the option the base is
// https://bigquery.googleapis.com/bigquery/v2/. So with the root URL of a
// server the client requests /projects/..., and with URL()+"/bigquery/v2/" (the
// slash at the end matters) it requests /bigquery/v2/projects/.... The server
// serves both. It also serves them behind a handler that strips a prefix.
//
// With Options.HTTP2 the server speaks HTTP/2 over TLS, under the certificate
// of package fakecert. Package faultproxy breaks single requests and
// connections on their way to a server.
//
// # Script
//
// [Server.On] sets the answers of a statement's text: each execution takes the
// next one, and the last one stays. [Server.OnFunc] sets a function that
// answers statements, [Server.OnAny] the answers of all other statements. A
// statement without an answer is an invalidQuery error that quotes it.
//
// [Server.Inject] adds faults to the next requests of an API method: errors,
// HTML bodies, garbage, cut and dropped connections, answers that hang until a
// channel is closed. Nothing in this package sleeps, except for
// Options.Latency; whatever takes time waits for a channel.
//
// [Server.StorageURL] is the address of the Storage Read API, which serves the
// results of finished jobs as Arrow. [Server.InjectStream] adds faults to its
// methods and streams, and [Server.Reads] returns what was read.
//
// # Values
//
// Rows are Go values, which the server writes as the service does. If a value
// does not fit its field, the answer is an error that names the row and the
// column.
//
//	any type              nil (NULL), Raw (the JSON to send)
//	REPEATED              a slice of the values below; nil is the empty array
//	RECORD                []any with a value for each field
//	INTEGER               any Go integer, or text
//	FLOAT                 float64, float32, or text
//	BOOLEAN               bool
//	BYTES                 []byte
//	TIMESTAMP             time.Time; Picos where TimestampPrecision is 12
//	DATE, DATETIME, TIME  time.Time (its civil part), or text
//	RANGE                 Range, or text
//	the others            string, json.RawMessage, fmt.Stringer
//
// # Traits kept
//
//   - Statements without useLegacySql=false are refused, as legacy SQL would
//     not understand them. So are URL parameters that the API does not have;
//     members of a request that it does not have are ignored.
//   - parameterMode must be there when parameters are, each parameter has a
//     type; a dry run that leaves positional parameters undeclared may not
//     declare any. The text of a value must be one of its type.
//   - requestId has at most 36 ASCII characters; the same id with the same DML
//     or DDL is the same job, also a failed one, and answers in short; reads,
//     scripts, BEGIN, COMMIT and ROLLBACK run again. Job ids are unique.
//   - A statement that bills more than maximumBytesBilled fails.
//   - A session runs one job at a time, in its own location, and a lost one is
//     an error. CALL BQ.ABORT_SESSION() needs no script.
//   - Jobs are found only under their project and location; the location may be
//     left out in US and EU. A dry run leaves no job.
//   - Numbers of 64 bits are strings; TIMESTAMP is float seconds in E notation
//     unless useInt64Timestamp or timestampOutputFormat is asked for. The
//     former cuts a precision of 12 to microseconds without a word, and
//     excludes ISO8601_STRING.
//   - Answers have the members that [Shapes] lists: DML and DDL carry the
//     table's schema, scripts have no counts, answers to polls no dmlStats.
//   - jobs.list has statement types, texts and emails with projection=full
//     alone.
//   - An error leaves a transaction open, and it holds its tables until it or
//     its session ends.
//   - A page ends at 10 MB of rows, whatever maxResults says, from startIndex
//     on as from a token.
//   - A cancel takes effect late. A cancelled job ends with reason "stopped". A
//     failed job is an HTTP error for jobs.query and jobs.getQueryResults and a
//     200 with status.errorResult for jobs.insert and jobs.get.
//   - Answers are indented unless prettyPrint=false, cut by fields=, and
//     gzipped for clients that take it and whose User-Agent says gzip.
package fakebq
