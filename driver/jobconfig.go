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

// jobConfig is the configuration of a statement: the connector's, changed by options.
type jobConfig struct {
	dsn.Config
	ownTable bool // an option, not the DSN, has set the destination table
}

// atOnce is the option for the driver's own statements: they can't wait for idle resources, and
// their results are not kept.
func atOnce(j *jobConfig) {
	j.DestinationTable, j.WriteDisposition, j.CreateDisposition, j.DryRun = "", "", "", false
	j.Priority, j.JobIDPrefix, j.JobCreation = "", "", ""
}

// newJobConfig returns the configuration of a statement: the DSN's, changed by the options of ctx
// and then by those among args. It also returns the other arguments, with new ordinals.
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

// optionError is a dsn.Error about a JobOption.
type optionError struct{ err *dsn.Error }

func (e optionError) Error() string {
	return "bigqueryuser: option " + e.err.Key + ": " + e.err.Problem
}

func (e optionError) Unwrap() error { return e.err }

// check validates the options by the rules of the DSN.
func (j *jobConfig) check() error {
	err := j.Validate()
	if e, ok := errors.AsType[*dsn.Error](err); ok {
		return optionError{e}
	}
	return err
}

// restrictTo removes the settings that apply to queries only, if the statement is not a query:
// BigQuery would refuse the DSN's destination table, and a statement that can change something
// needs a job, so that the driver can ask for its outcome.
func (j *jobConfig) restrictTo(kind sqlKind) {
	if kind == kindQuery {
		return
	}
	j.JobCreation = ""
	if !j.ownTable {
		j.DestinationTable, j.WriteDisposition, j.CreateDisposition = "", "", ""
	}
}

// inserted reports whether the statement needs a setting that jobs.query does not have. Then the
// driver calls jobs.insert, and needs one more request for the result.
func (j *jobConfig) inserted() bool {
	return j.DestinationTable != "" || j.Priority == "batch" || j.JobIDPrefix != ""
}

// destination returns the table for the result; nil means a temporary table of BigQuery's.
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

// disposition returns BigQuery's name for a disposition of the DSN.
func disposition(verb, text string) string {
	if text == "" {
		return ""
	}
	return verb + strings.ToUpper(text)
}

// datasetReference parses "dataset" or "project.dataset". A legacy project can contain dots.
func datasetReference(dataset, project string) *bq.DatasetReference {
	if dataset == "" {
		return nil
	}
	if dot := strings.LastIndexByte(dataset, '.'); dot >= 0 {
		project, dataset = dataset[:dot], dataset[dot+1:]
	}
	return &bq.DatasetReference{ProjectId: project, DatasetId: dataset}
}
