package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// JobOption changes how one statement runs, over what the DSN says. It is given with [WithOptions], or
// as one more argument of Query or Exec, anywhere among the others:
//
//	db.QueryContext(ctx, "SELECT name FROM t WHERE n > ?", 5, driver.MaximumBytesBilled(1<<30))
//
// Most options are a key of the DSN, with its values and its rules: package dsn has the manual. A zero
// value takes back what the DSN says. A wrong value is an error that wraps a [*dsn.Error] with the name of
// the key, before anything is sent. A nil JobOption changes nothing.
type JobOption func(*job)

// job is how a statement runs.
type job struct {
	cfg      dsn.Config // the connector's, as options have changed it
	ownTable bool       // an option, not the DSN, says what becomes of the result
}

type optionsKey struct{}

// WithOptions returns a context that makes statements run with the options, Prepare, BeginTx, Ping and
// Estimate as well. Those of a context inside another add to it, those of arguments to both; where two say
// something of the same key, the later one wins. A transaction's statements take the options of their own
// contexts, and a prepared statement's runs those of theirs.
func WithOptions(ctx context.Context, opts ...JobOption) context.Context {
	outer, _ := ctx.Value(optionsKey{}).([]JobOption)
	return context.WithValue(ctx, optionsKey{}, slices.Concat(outer, opts))
}

// DefaultDataset is where table names without a dataset are looked up: "dataset", or "project.dataset". The
// DSN has it in its path.
func DefaultDataset(dataset string) JobOption {
	return func(j *job) { j.cfg.Dataset = dataset }
}

// Location is the DSN's location. A session stays where it is: in one, another location is an error.
func Location(location string) JobOption {
	return func(j *job) { j.cfg.Location = location }
}

// MaximumBytesBilled is the DSN's maximum_bytes_billed.
func MaximumBytesBilled(bytes int64) JobOption {
	return func(j *job) { j.cfg.MaximumBytesBilled = bytes }
}

// Priority is the DSN's priority: "interactive" or "batch". Batch is one request more.
func Priority(priority string) JobOption {
	return func(j *job) { j.cfg.Priority = priority }
}

// UseQueryCache is the DSN's use_query_cache.
func UseQueryCache(use bool) JobOption {
	return func(j *job) { j.cfg.UseQueryCache = &use }
}

// Labels are put on the job beside the labels of the DSN and of earlier options; of two with one key the
// later one stays.
func Labels(labels map[string]string) JobOption {
	added := maps.Clone(labels)
	return func(j *job) {
		all := make(map[string]string, len(j.cfg.Labels)+len(added))
		maps.Copy(all, j.cfg.Labels)
		maps.Copy(all, added)
		j.cfg.Labels = all
	}
}

// JobTimeout is the DSN's job_timeout.
func JobTimeout(limit time.Duration) JobOption {
	return func(j *job) { j.cfg.JobTimeout = limit }
}

// Reservation is the DSN's reservation: "projects/P/locations/L/reservations/R" or "none".
func Reservation(name string) JobOption {
	return func(j *job) { j.cfg.Reservation = name }
}

// KMSKey is the DSN's kms_key: "projects/P/locations/L/keyRings/R/cryptoKeys/K".
func KMSKey(name string) JobOption {
	return func(j *job) { j.cfg.KMSKey = name }
}

// JobCreation is the DSN's job_creation: "required" or "optional". It has no effect beside Priority("batch"),
// JobIDPrefix and DestinationTable, which need a job.
func JobCreation(mode string) JobOption {
	return func(j *job) { j.cfg.JobCreation = mode }
}

// JobIDPrefix is the DSN's job_id_prefix. It is one request more.
func JobIDPrefix(prefix string) JobOption {
	return func(j *job) { j.cfg.JobIDPrefix = prefix }
}

// TimeZone is the DSN's time_zone, such as "Europe/Zurich".
func TimeZone(name string) JobOption {
	return func(j *job) { j.cfg.TimeZone = name }
}

// DestinationTable is the DSN's destination_table, write_disposition and create_disposition. It has the result of
// a SELECT kept in a table: "table" of the default dataset, "dataset.table" or "project.dataset.table"; "" is
// none. write says what becomes of rows that are there already ("" is [bigquery.WriteEmpty]: there must be
// none), create whether the table may be made ("" is [bigquery.CreateIfNeeded]). The rows are returned as
// well. It is one request more. BigQuery refuses the option beside any other statement; the keys
// of the DSN are for queries alone.
func DestinationTable(table string, write bigquery.TableWriteDisposition, create bigquery.TableCreateDisposition) JobOption {
	return func(j *job) {
		j.ownTable, j.cfg.DestinationTable = true, table
		j.cfg.WriteDisposition = dispositionKey("WRITE_", string(write))
		j.cfg.CreateDisposition = dispositionKey("CREATE_", string(create))
	}
}

// DryRun is the DSN's dry_run=true: BigQuery checks the statement and does not run it, which bills nothing. Query
// returns its columns and no rows, Exec no rows affected; [WithStats] tells how many bytes it would read.
func DryRun() JobOption {
	return func(j *job) { j.cfg.DryRun = true }
}

// atOnce is for statements of the driver's own: they can't wait for idle resources, and have no result
// to keep.
func atOnce(j *job) {
	j.cfg.DestinationTable, j.cfg.WriteDisposition, j.cfg.CreateDisposition, j.cfg.DryRun = "", "", "", false
	j.cfg.Priority, j.cfg.JobIDPrefix, j.cfg.JobCreation = "", "", ""
}

// job says how a statement runs: as the DSN says, changed by the options of ctx and then by those among
// args. It returns the other arguments, numbered anew.
func (c *Conn) job(ctx context.Context, args []driver.NamedValue) (*job, []driver.NamedValue, error) {
	j := &job{cfg: c.connector.cfg}
	opts, _ := ctx.Value(optionsKey{}).([]JobOption)
	given, args := splitOptions(args)
	for _, opt := range slices.Concat(opts, given) {
		if opt != nil {
			opt(j)
		}
	}
	if len(opts)+len(given) == 0 {
		return j, args, nil
	}
	return j, args, j.check()
}

func splitOptions(args []driver.NamedValue) (opts []JobOption, rest []driver.NamedValue) {
	isOption := func(nv driver.NamedValue) bool { _, ok := nv.Value.(JobOption); return ok }
	if !slices.ContainsFunc(args, isOption) {
		return nil, args
	}
	for _, nv := range args {
		if opt, ok := nv.Value.(JobOption); ok {
			opts = append(opts, opt)
			continue
		}
		nv.Ordinal = len(rest) + 1
		rest = append(rest, nv)
	}
	return opts, rest
}

// optionError is a dsn.Error in the words of a JobOption.
type optionError struct{ err *dsn.Error }

func (e optionError) Error() string {
	return "bigqueryuser: option " + e.err.Key + ": " + e.err.Problem
}

func (e optionError) Unwrap() error { return e.err }

// check holds the options to the rules of the DSN.
func (j *job) check() error {
	err := j.cfg.Validate()
	if e := (*dsn.Error)(nil); errors.As(err, &e) {
		return optionError{e}
	}
	return err
}

// fit leaves out what the DSN says of the results of queries where a statement is none: BigQuery would refuse it.
func (j *job) fit(text string, p parameters) {
	if !j.ownTable && (p.script || !beginsQuery(text)) {
		j.cfg.DestinationTable, j.cfg.WriteDisposition, j.cfg.CreateDisposition = "", "", ""
	}
}

// destination is the table that the result goes to; nil for one of BigQuery's own.
func (j *job) destination() *bq.TableReference {
	if j.cfg.DestinationTable == "" {
		return nil
	}
	dataset, table := j.cfg.Dataset, j.cfg.DestinationTable
	if dot := strings.LastIndexByte(table, '.'); dot >= 0 {
		dataset, table = table[:dot], table[dot+1:]
	}
	in := datasetReference(dataset, j.cfg.Project)
	return &bq.TableReference{ProjectId: in.ProjectId, DatasetId: in.DatasetId, TableId: table}
}

// dispositionKey is the DSN's word for one of BigQuery's. What is none of BigQuery's is none of the DSN's either.
func dispositionKey(verb, word string) string {
	if text, ok := strings.CutPrefix(word, verb); ok {
		return strings.ToLower(text)
	}
	return word
}

// disposition is BigQuery's word for one of the DSN's.
func disposition(verb, text string) string {
	if text == "" {
		return ""
	}
	return verb + strings.ToUpper(text)
}

// datasetReference reads "dataset" and "project.dataset"; a legacy project has dots of its own.
func datasetReference(dataset, project string) *bq.DatasetReference {
	if dataset == "" {
		return nil
	}
	if dot := strings.LastIndexByte(dataset, '.'); dot >= 0 {
		project, dataset = dataset[:dot], dataset[dot+1:]
	}
	return &bq.DatasetReference{ProjectId: project, DatasetId: dataset}
}
