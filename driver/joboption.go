package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"maps"
	"regexp"
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
	cfg         dsn.Config // the connector's, as options have changed it
	destination *destination
	dryRun      bool
}

type destination struct {
	table  string
	write  bigquery.TableWriteDisposition
	create bigquery.TableCreateDisposition
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

// DestinationTable has the result of a SELECT kept in a table: "table" of the default dataset,
// "dataset.table" or "project.dataset.table". write says what becomes of rows that are there already (""
// is [bigquery.WriteEmpty]: there must be none), create whether the table may be made (""
// is [bigquery.CreateIfNeeded]). The rows are returned as well. It is one request more.
func DestinationTable(table string, write bigquery.TableWriteDisposition, create bigquery.TableCreateDisposition) JobOption {
	return func(j *job) {
		j.destination = &destination{table, write, create}
		if table == "" {
			j.destination = nil
		}
	}
}

// DryRun has BigQuery check the statement and not run it, which bills nothing. Query returns its columns
// and no rows, Exec no rows affected; [WithStats] tells how many bytes it would read.
func DryRun() JobOption {
	return func(j *job) { j.dryRun = true }
}

// atOnce is for statements of the driver's own: they can't wait for idle resources, and have no result
// to keep.
func atOnce(j *job) {
	j.destination, j.dryRun = nil, false
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
	if err == nil && j.destination != nil {
		err = j.destination.check(&j.cfg)
	}
	var e *dsn.Error
	if errors.As(err, &e) {
		return optionError{e}
	}
	return err
}

var tableID = regexp.MustCompile(`^[\pL\pM\pN\p{Pc}\p{Pd}\p{Zs}]+(\$\w+)?$`)

func (d *destination) check(cfg *dsn.Config) error {
	refuse := func(key, problem string) error { return &dsn.Error{Key: key, Problem: problem} }
	dataset, table := d.split(cfg)
	switch {
	case dataset == "":
		return refuse("destination_table", "names no dataset, and there is no default one; want dataset.table")
	case len(table) > 1024 || !tableID.MatchString(table) || dsn.Config{Project: cfg.Project, Dataset: dataset}.Validate() != nil:
		return refuse("destination_table", "has a value that is not allowed; want table, dataset.table or project.dataset.table")
	case !slices.Contains([]bigquery.TableWriteDisposition{"", bigquery.WriteEmpty, bigquery.WriteAppend, bigquery.WriteTruncate, bigquery.WriteTruncateData}, d.write):
		return refuse("write_disposition", "has a value that is not allowed; want WRITE_EMPTY, WRITE_APPEND, WRITE_TRUNCATE or WRITE_TRUNCATE_DATA")
	case d.create != "" && d.create != bigquery.CreateIfNeeded && d.create != bigquery.CreateNever:
		return refuse("create_disposition", "has a value that is not allowed; want CREATE_IF_NEEDED or CREATE_NEVER")
	}
	return nil
}

// split gives the dataset, which may have its project before it, and the table in it.
func (d *destination) split(cfg *dsn.Config) (dataset, table string) {
	if dot := strings.LastIndexByte(d.table, '.'); dot >= 0 {
		return d.table[:dot], d.table[dot+1:]
	}
	return cfg.Dataset, d.table
}

// reference names the table of a destination that has passed its check.
func (d *destination) reference(cfg *dsn.Config) *bq.TableReference {
	dataset, table := d.split(cfg)
	in := datasetReference(dataset, cfg.Project)
	return &bq.TableReference{ProjectId: in.ProjectId, DatasetId: in.DatasetId, TableId: table}
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
