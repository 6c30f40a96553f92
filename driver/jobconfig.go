package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// jobConfig is how a statement runs: the connector's configuration, as options have changed it.
type jobConfig struct {
	dsn.Config
	ownTable bool // an option, not the DSN, says what becomes of the result
}

// atOnce is for statements of the driver's own: they can't wait for idle resources, and have no result
// to keep.
func atOnce(j *jobConfig) {
	j.DestinationTable, j.WriteDisposition, j.CreateDisposition, j.DryRun = "", "", "", false
	j.Priority, j.JobIDPrefix, j.JobCreation = "", "", ""
}

// newJobConfig says how a statement runs: as the DSN says, changed by the options of ctx and then
// by those among args. It returns the other arguments, numbered anew.
func newJobConfig(
	ctx context.Context,
	cfg *dsn.Config,
	args []driver.NamedValue,
) (jobConfig, []driver.NamedValue, error) {
	j := jobConfig{Config: *cfg}
	opts, _ := ctx.Value(optionsKey{}).([]JobOption)
	given, args := splitOptions(args)
	for _, opt := range slices.Concat(opts, given) {
		if opt != nil {
			opt(&j)
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
func (j *jobConfig) check() error {
	err := j.Validate()
	if e, ok := errors.AsType[*dsn.Error](err); ok {
		return optionError{e}
	}
	return err
}

// restrictTo leaves out what is right for queries alone where a statement is none: BigQuery would
// refuse the DSN's destination, and what can change something gets a job, so that its outcome can
// be asked for.
func (j *jobConfig) restrictTo(kind sqlKind) {
	if kind == kindQuery {
		return
	}
	j.JobCreation = ""
	if !j.ownTable {
		j.DestinationTable, j.WriteDisposition, j.CreateDisposition = "", "", ""
	}
}

// inserted reports whether the statement needs what jobs.query has no word for. It then goes by
// jobs.insert, and its result is fetched with one request more.
func (j *jobConfig) inserted() bool {
	return j.DestinationTable != "" || j.Priority == "batch" || j.JobIDPrefix != ""
}

// destination is the table that the result goes to; nil for one of BigQuery's own.
func (j *jobConfig) destination() *bq.TableReference {
	if j.DestinationTable == "" {
		return nil
	}
	dataset, table := j.Dataset, j.DestinationTable
	if dot := strings.LastIndexByte(table, '.'); dot >= 0 {
		dataset, table = table[:dot], table[dot+1:]
	}
	in := datasetReference(dataset, j.Project)
	return &bq.TableReference{ProjectId: in.ProjectId, DatasetId: in.DatasetId, TableId: table}
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
