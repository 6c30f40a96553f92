package driver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
)

// JobOption changes how one statement runs, and takes precedence over the DSN. Pass it with
// [WithOptions], or among the arguments of Query or Exec:
//
//	db.QueryContext(ctx, "SELECT name FROM t WHERE n > ?", 5, driver.MaximumBytesBilled(1<<30))
//
// Most options correspond to a key of the DSN, with its values and rules; see package dsn. A zero
// value undoes the setting of the DSN. A wrong value is an error before anything is sent; it wraps a
// [*dsn.Error] that names the key. A nil JobOption has no effect.
type JobOption func(*jobConfig)

type optionsKey struct{}

// WithOptions returns a context whose statements run with the options. Prepare, BeginTx, Ping and
// Estimate use them too. Options accumulate: an outer context's, then ctx's, then those passed as
// arguments. The last one for a key wins. The statements of a transaction, and the runs of a prepared
// statement, have the options of their own contexts.
func WithOptions(ctx context.Context, opts ...JobOption) context.Context {
	outer, _ := ctx.Value(optionsKey{}).([]JobOption)
	return context.WithValue(ctx, optionsKey{}, slices.Concat(outer, opts))
}

// DefaultDataset sets the dataset of table names that have none: "dataset" or "project.dataset". It
// corresponds to the path of the DSN.
func DefaultDataset(dataset string) JobOption {
	return func(j *jobConfig) { j.Dataset = dataset }
}

// Location corresponds to the DSN's location. In a session another location is an error, because a
// session can't move.
func Location(location string) JobOption {
	return func(j *jobConfig) { j.Location = location }
}

// MaximumBytesBilled corresponds to the DSN's maximum_bytes_billed. A statement that would bill more
// fails with [ErrBytesBilledLimit].
func MaximumBytesBilled(bytes int64) JobOption {
	return func(j *jobConfig) { j.MaximumBytesBilled = bytes }
}

// Priority corresponds to the DSN's priority: "interactive" or "batch", or the official client's constant,
// as in Priority(string(bigquery.BatchPriority)). A batch statement takes one more request.
func Priority(priority string) JobOption {
	return func(j *jobConfig) { j.Priority = strings.ToLower(priority) }
}

// UseQueryCache corresponds to the DSN's use_query_cache.
func UseQueryCache(use bool) JobOption {
	return func(j *jobConfig) { j.UseQueryCache = &use }
}

// Labels adds labels to the job, in addition to those of the DSN and of earlier options. The last one
// for a key wins.
func Labels(labels map[string]string) JobOption {
	added := maps.Clone(labels)
	return func(j *jobConfig) {
		all := make(map[string]string, len(j.Labels)+len(added))
		maps.Copy(all, j.Labels)
		maps.Copy(all, added)
		j.Labels = all
	}
}

// JobTimeout corresponds to the DSN's job_timeout.
func JobTimeout(limit time.Duration) JobOption {
	return func(j *jobConfig) { j.JobTimeout = limit }
}

// Reservation corresponds to the DSN's reservation: "projects/P/locations/L/reservations/R" or "none".
func Reservation(name string) JobOption {
	return func(j *jobConfig) { j.Reservation = name }
}

// KMSKey corresponds to the DSN's kms_key: "projects/P/locations/L/keyRings/R/cryptoKeys/K".
func KMSKey(name string) JobOption {
	return func(j *jobConfig) { j.KMSKey = name }
}

// JobCreation corresponds to the DSN's job_creation: "required" or "optional", or the official client's
// constant, as in JobCreation(string(bigquery.JobCreationModeOptional)). It has no effect together with
// Priority("batch"), JobIDPrefix and DestinationTable, which need a job.
func JobCreation(mode string) JobOption {
	return func(j *jobConfig) { j.JobCreation = dispositionKey("JOB_CREATION_", mode) }
}

// JobIDPrefix corresponds to the DSN's job_id_prefix. It takes one more request.
func JobIDPrefix(prefix string) JobOption {
	return func(j *jobConfig) { j.JobIDPrefix = prefix }
}

// TimeZone corresponds to the DSN's time_zone, such as "Europe/Zurich".
func TimeZone(name string) JobOption {
	return func(j *jobConfig) { j.TimeZone = name }
}

// DestinationTable keeps the result of a SELECT in a table: "table" of the default dataset,
// "dataset.table" or "project.dataset.table"; "" means none. write says what happens to rows that the
// table already has; "" means [bigquery.WriteEmpty], it must have none. create says whether the table
// may be created; "" means [bigquery.CreateIfNeeded]. The rows are returned as well. The option takes
// one more request, and BigQuery refuses it for statements that are not queries. The corresponding keys
// of the DSN, destination_table, write_disposition and create_disposition, apply to queries only.
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

// DryRun corresponds to the DSN's dry_run=true: BigQuery checks the statement and does not run it,
// which bills nothing. Query returns the columns and no rows, Exec returns no affected rows, and
// [WithStats] the bytes that the statement would read.
func DryRun() JobOption {
	return func(j *jobConfig) { j.DryRun = true }
}

// dispositionKey returns the DSN's word for one of BigQuery's. A word that is not BigQuery's is returned
// as it is, and refused later.
func dispositionKey(verb, word string) string {
	if text, ok := strings.CutPrefix(word, verb); ok {
		return strings.ToLower(text)
	}
	return word
}
