package driver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
)

// JobOption changes how one statement runs, over what the DSN says. It is given with [WithOptions], or
// as one more argument of Query or Exec, anywhere among the others:
//
//	db.QueryContext(ctx, "SELECT name FROM t WHERE n > ?", 5, driver.MaximumBytesBilled(1<<30))
//
// Most options are a key of the DSN, with its values and its rules: package dsn has the manual. A
// zero value takes back what the DSN says. A wrong value is an error that wraps a [*dsn.Error] with
// the name of the key, before anything is sent. A nil JobOption changes nothing.
type JobOption func(*jobConfig)

type optionsKey struct{}

// WithOptions returns a context that makes statements run with the options, Prepare, BeginTx, Ping
// and Estimate as well. Those of a context inside another add to it, those of arguments to both;
// where two say something of the same key, the later one wins. A transaction's statements take the
// options of their own contexts, and a prepared statement's runs those of theirs.
func WithOptions(ctx context.Context, opts ...JobOption) context.Context {
	outer, _ := ctx.Value(optionsKey{}).([]JobOption)
	return context.WithValue(ctx, optionsKey{}, slices.Concat(outer, opts))
}

// DefaultDataset is where table names without a dataset are looked up: "dataset", or
// "project.dataset". The DSN has it in its path.
func DefaultDataset(dataset string) JobOption {
	return func(j *jobConfig) { j.Dataset = dataset }
}

// Location is the DSN's location. A session stays where it is: in one, another location is an error.
func Location(location string) JobOption {
	return func(j *jobConfig) { j.Location = location }
}

// MaximumBytesBilled is the DSN's maximum_bytes_billed.
func MaximumBytesBilled(bytes int64) JobOption {
	return func(j *jobConfig) { j.MaximumBytesBilled = bytes }
}

// Priority is the DSN's priority: "interactive" or "batch", or the official client's constant for it, as in
// Priority(string(bigquery.BatchPriority)). Batch is one request more.
func Priority(priority string) JobOption {
	return func(j *jobConfig) { j.Priority = strings.ToLower(priority) }
}

// UseQueryCache is the DSN's use_query_cache.
func UseQueryCache(use bool) JobOption {
	return func(j *jobConfig) { j.UseQueryCache = &use }
}

// Labels are put on the job beside the labels of the DSN and of earlier options; of two with one key the
// later one stays.
func Labels(labels map[string]string) JobOption {
	added := maps.Clone(labels)
	return func(j *jobConfig) {
		all := make(map[string]string, len(j.Labels)+len(added))
		maps.Copy(all, j.Labels)
		maps.Copy(all, added)
		j.Labels = all
	}
}

// JobTimeout is the DSN's job_timeout.
func JobTimeout(limit time.Duration) JobOption {
	return func(j *jobConfig) { j.JobTimeout = limit }
}

// Reservation is the DSN's reservation: "projects/P/locations/L/reservations/R" or "none".
func Reservation(name string) JobOption {
	return func(j *jobConfig) { j.Reservation = name }
}

// KMSKey is the DSN's kms_key: "projects/P/locations/L/keyRings/R/cryptoKeys/K".
func KMSKey(name string) JobOption {
	return func(j *jobConfig) { j.KMSKey = name }
}

// JobCreation is the DSN's job_creation: "required" or "optional", or the official client's constant for it, as in
// JobCreation(string(bigquery.JobCreationModeOptional)). It has no effect beside
// Priority("batch"), JobIDPrefix and DestinationTable, which need a job.
func JobCreation(mode string) JobOption {
	return func(j *jobConfig) { j.JobCreation = dispositionKey("JOB_CREATION_", mode) }
}

// JobIDPrefix is the DSN's job_id_prefix. It is one request more.
func JobIDPrefix(prefix string) JobOption {
	return func(j *jobConfig) { j.JobIDPrefix = prefix }
}

// TimeZone is the DSN's time_zone, such as "Europe/Zurich".
func TimeZone(name string) JobOption {
	return func(j *jobConfig) { j.TimeZone = name }
}

// DestinationTable is the DSN's destination_table, write_disposition and create_disposition. It has
// the result of a SELECT kept in a table: "table" of the default dataset, "dataset.table" or
// "project.dataset.table"; "" is none. write says what becomes of rows that are there already (""
// is [bigquery.WriteEmpty]: there must be none), create whether the table may be made ("" is
// [bigquery.CreateIfNeeded]). The rows are returned as well. It is one request more. BigQuery
// refuses the option beside any other statement; the keys of the DSN are for queries alone.
func DestinationTable(
	table string,
	write bigquery.TableWriteDisposition,
	create bigquery.TableCreateDisposition,
) JobOption {
	return func(j *jobConfig) {
		j.ownTable, j.DestinationTable = true, table
		j.WriteDisposition = dispositionKey("WRITE_", string(write))
		j.CreateDisposition = dispositionKey("CREATE_", string(create))
	}
}

// DryRun is the DSN's dry_run=true: BigQuery checks the statement and does not run it, which bills
// nothing. Query returns its columns and no rows, Exec no rows affected; [WithStats] tells how many
// bytes it would read.
func DryRun() JobOption {
	return func(j *jobConfig) { j.DryRun = true }
}

// dispositionKey is the DSN's word for one of BigQuery's. What is none of BigQuery's is none of the
// DSN's either.
func dispositionKey(verb, word string) string {
	if text, ok := strings.CutPrefix(word, verb); ok {
		return strings.ToLower(text)
	}
	return word
}
