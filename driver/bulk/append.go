package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver/internal/bridge"
)

// Result is what was written.
type Result struct {
	Rows     int64  // in the table now
	Bytes    int64  // of these rows, as they were sent
	Stream   string // the write stream; "" if there was none
	JobID    string // the load job; "" if there was none
	Fallback error  // why they went by a load job although the Write API was tried; nil if it was not
}

// Append writes rows, as many as the sequence has, into a table: "table" in the dataset of the DSN, "dataset.table" or
// "project.dataset.table". An error in the sequence ends it, and nothing is written.
func Append[T any](
	ctx context.Context, db *sql.DB, table string, rows iter.Seq2[T, error], opts ...Option,
) (Result, error) {
	return appendRows(ctx, db, table, opts, func(columns []*column) (source, error) {
		e, present, err := rowEncoder(columns, reflect.TypeFor[T]())
		return source{present, func(w sink) error {
			row := new(T)
			for v, err := range rows {
				if err != nil {
					return err
				}
				*row = v
				if err := w.row(e, unsafe.Pointer(row)); err != nil {
					return err
				}
			}
			return nil
		}}, err
	})
}

// AppendSlice writes the rows of a slice. [][]any is a slice of plain rows.
func AppendSlice[T any](ctx context.Context, db *sql.DB, table string, rows []T, opts ...Option) (Result, error) {
	return appendRows(ctx, db, table, opts, func(columns []*column) (source, error) {
		e, present, err := rowEncoder(columns, reflect.TypeFor[T]())
		return source{present, func(w sink) error {
			for i := range rows {
				if err := w.row(e, unsafe.Pointer(&rows[i])); err != nil {
					return err
				}
			}
			return nil
		}}, err
	})
}

// AppendRecords writes the rows of Arrow record batches, whose columns are matched by name. The types are those that
// driver.QueryArrow gives. The reader stays the caller's to release.
func AppendRecords(
	ctx context.Context, db *sql.DB, table string, records array.RecordReader, opts ...Option,
) (Result, error) {
	return appendRows(ctx, db, table, opts, func(columns []*column) (source, error) {
		return recordSource(columns, records)
	})
}

// source gives the rows.
type source struct {
	present []bool // of the table's columns: the rows have a value for it
	each    func(sink) error
}

// sink takes rows.
type sink interface {
	// row takes a row that e encodes.
	row(e encoder, p unsafe.Pointer) error
}

// task is one call of Append.
type task struct {
	*bridge.Service
	opts    options
	table   *bq.TableReference
	columns []*column
	source  source
	began   time.Time
	result  Result
	api     string // storage or load
}

func appendRows(
	ctx context.Context, db *sql.DB, table string, opts []Option, bind func([]*column) (source, error),
) (Result, error) {
	service, err := bridge.Of(ctx, db) // not its connection: the rows may come from a query on the same database
	if err != nil {
		return Result{}, err
	}
	t := &task{Service: service, began: time.Now()}
	for _, o := range opts {
		o(&t.opts)
	}
	if t.table, err = tableNamed(table, service.Project, service.Dataset); err != nil {
		return Result{}, err
	}
	run, done, err := service.Begin(ctx)
	if err != nil {
		return Result{}, err
	}
	defer done()
	err = t.run(run, bind)
	t.Observe(ctx, t.began, bridge.Written{Table: table, Rows: t.result.Rows, Bytes: t.result.Bytes, API: t.api,
		JobID: t.result.JobID, Location: t.Location, Fallback: t.result.Fallback}, err)
	return t.result, err
}

// tableNamed splits a table's name from its end: a project may have dots of its own.
func tableNamed(name, project, dataset string) (*bq.TableReference, error) {
	ref := &bq.TableReference{ProjectId: project, DatasetId: dataset, TableId: name}
	if rest, table, ok := cutLast(name); ok {
		ref.DatasetId, ref.TableId = rest, table
		if rest, dataset, ok := cutLast(rest); ok {
			ref.ProjectId, ref.DatasetId = rest, dataset
		}
	}
	switch {
	case ref.TableId == "" || ref.ProjectId == "" || strings.ContainsAny(name, "`/ "):
		return nil, fmt.Errorf("bigqueryuser: %q is not the name of a table: write table, dataset.table or "+
			"project.dataset.table, without quotes", name)
	case ref.DatasetId == "":
		return nil, fmt.Errorf("bigqueryuser: the table %q has no dataset: write dataset.table, or name a dataset in "+
			"the DSN", name)
	}
	return ref, nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// run writes the rows by the Write API, else by a load job.
func (t *task) run(ctx context.Context, bind func([]*column) (source, error)) error {
	if !t.opts.load {
		t.api = "storage"
		stream, err := t.createStream(ctx)
		switch {
		case err == nil:
			if err := t.bind(columnsOfStream(stream.GetTableSchema()), bind); err != nil {
				return err
			}
			return t.write(ctx, stream.Name)
		case ctx.Err() != nil || !unusable(err):
			return t.Failed(ctx, err, "")
		case t.opts.committed:
			return fmt.Errorf("%w; a load job can't replace a committed stream", t.Failed(ctx, err, ""))
		}
		t.result.Fallback = t.Failed(ctx, err, "")
	}
	t.api = "load"
	if t.opts.committed {
		return errors.New("bigqueryuser: bulk.LoadJob and bulk.Committed exclude each other")
	}
	var table *bq.Table
	err := t.Ask(ctx, func(ctx context.Context, s *bq.Service) (err error) {
		table, err = s.Tables.Get(t.table.ProjectId, t.table.DatasetId, t.table.TableId).Context(ctx).Do()
		return err
	})
	if err != nil {
		return t.Failed(ctx, err, "")
	}
	if err := t.bind(columnsOfTable(table.Schema), bind); err != nil {
		return err
	}
	return t.load(ctx, table.Location)
}

// bind matches the rows with the columns of the table.
func (t *task) bind(columns []*column, bind func([]*column) (source, error)) (err error) {
	t.columns = columns
	if t.source, err = bind(columns); err != nil {
		return fmt.Errorf("bigqueryuser: %w", err)
	}
	for i, c := range columns {
		if !t.source.present[i] && c.required() && !c.hasDefault {
			return fmt.Errorf("bigqueryuser: column %q is REQUIRED and the rows have no value for it", c.name)
		}
	}
	return nil
}
