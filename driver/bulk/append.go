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

// Result describes the rows that were written.
type Result struct {
	Rows     int64  // rows in the table
	Bytes    int64  // size of these rows as they were sent
	Stream   string // the write stream; "" if a load job was used
	JobID    string // the load job; "" if a stream was used
	Fallback error  // why a load job was used after the Write API was tried; nil if it was not
}

// Append writes the rows of a sequence into a table: "table" in the dataset of the DSN,
// "dataset.table" or "project.dataset.table". If the sequence yields an error, Append writes
// nothing and returns the error.
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

// AppendSlice writes the rows of a slice. The rows of a [][]any are plain rows.
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

// AppendRecords writes the rows of Arrow record batches. It matches their columns by name. Their
// types are those of driver.QueryArrow. The caller releases the reader.
func AppendRecords(
	ctx context.Context, db *sql.DB, table string, records array.RecordReader, opts ...Option,
) (Result, error) {
	return appendRows(ctx, db, table, opts, func(columns []*column) (source, error) {
		return recordSource(columns, records)
	})
}

// source is a source of rows.
type source struct {
	present []bool // columns of the table for which the rows have values
	each    func(sink) error
}

// sink receives rows.
type sink interface {
	// row writes a row that e encodes.
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
	service, err := bridge.Of(ctx, db) // not the caller's connection, which may be reading the rows from a query
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

// tableNamed splits the name of a table. A project may contain dots.
func tableNamed(name, project, dataset string) (*bq.TableReference, error) {
	ref := &bq.TableReference{ProjectId: project, DatasetId: dataset, TableId: name}
	if rest, table, ok := cutLast(name); ok {
		ref.DatasetId, ref.TableId = rest, table
		if rest, dataset, ok := cutLast(rest); ok {
			ref.ProjectId, ref.DatasetId = rest, dataset
		}
	}
	switch {
	case ref.TableId == "" || ref.ProjectId == "" || strings.ContainsAny(name, "`/"):
		return nil, fmt.Errorf("bigqueryuser: %q is not the name of a table: write table, dataset.table or "+
			"project.dataset.table, without quotes", name)
	case ref.DatasetId == "":
		return nil, fmt.Errorf("bigqueryuser: the table %q has no dataset: write dataset.table, or add a dataset to "+
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

// run writes the rows with the Write API, or else with a load job.
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
			return fmt.Errorf("%w; with bulk.Committed there is no load job instead", t.Failed(ctx, err, ""))
		}
		t.result.Fallback = t.Failed(ctx, err, "")
	}
	t.api = "load"
	if t.opts.committed {
		return errors.New("bigqueryuser: bulk.LoadJob and bulk.Committed can't be combined: drop one")
	}
	var table *bq.Table
	err := t.Ask(ctx, func(ctx context.Context, s *bq.Service) (err error) {
		table, err = s.Tables.Get(t.table.ProjectId, t.table.DatasetId, t.table.TableId).Context(ctx).Do()
		if err == nil && table == nil { // the answer null
			err = errNothing
		}
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
			return fmt.Errorf("bigqueryuser: column %q is REQUIRED, but the rows have no value for it", c.name)
		}
	}
	return nil
}
