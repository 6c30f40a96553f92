package fakebq

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

// arrowTable is a table, or some of its columns, as Arrow batches with one size and compression.
// Each batch is made once.
type arrowTable struct {
	table  *Table
	schema *arrow.Schema
	text   []byte // the schema as an IPC message
	pick   []int  // the columns, by their index in the table
	size   int    // number of rows of a batch
	codec  *storagepb.ArrowSerializationOptions

	mu   sync.Mutex
	made map[[2]int][]byte
}

// arrow returns the table in batches of a kind, always the same ones.
func (t *Table) arrow(names []string, size int, options *storagepb.ArrowSerializationOptions) (*arrowTable, error) {
	t.arrowMu.Lock()
	defer t.arrowMu.Unlock()
	key := fmt.Sprintf(
		"%q %d %s %s",
		names,
		size,
		options.GetBufferCompression(),
		options.GetPicosTimestampPrecision(),
	)
	if a := t.arrows[key]; a != nil {
		return a, nil
	}
	a, err := newArrowTable(t, names, size, options)
	if err != nil {
		return nil, err
	}
	if t.arrows == nil {
		t.arrows = map[string]*arrowTable{}
	}
	t.arrows[key] = a
	return a, nil
}

// newArrowTable selects the named columns, or all if there are no names.
func newArrowTable(
	t *Table,
	names []string,
	size int,
	options *storagepb.ArrowSerializationOptions,
) (*arrowTable, error) {
	a := &arrowTable{table: t, size: size, codec: options, made: map[[2]int][]byte{}}
	var fields []Field
	for i, f := range t.fields {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			a.pick, fields = append(a.pick, i), append(fields, f)
		}
	}
	if len(names) > 0 && len(fields) != len(names) {
		return nil, fmt.Errorf("the table does not have all of the selected fields %v", names)
	}
	var err error
	if a.schema, err = storagewire.ArrowSchema(storageFields(fields), options); err != nil {
		return nil, err
	}
	if a.text, err = storagewire.SchemaMessage(a.schema); err != nil {
		return nil, err
	}
	return a, nil
}

// arrowSource returns the format that keeps all digits of a table.
func arrowSource(fields []Field) timestampFormat {
	precise := func(f Field) bool { return f.TimestampPrecision > 0 || arrowSource(f.Fields) == iso8601 }
	if slices.ContainsFunc(fields, precise) {
		return iso8601
	}
	return int64Micros
}

// batch returns rows [from, to) of the table as an IPC message.
func (a *arrowTable) batch(from, to int) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := [2]int{from, to}
	if b, ok := a.made[key]; ok {
		return b, nil
	}
	rendered, err := a.table.render(arrowSource(a.table.fields))
	if err != nil {
		return nil, err
	}
	builder := array.NewRecordBuilder(arrowmemory.DefaultAllocator, a.schema)
	defer builder.Release()
	all := make([]array.Builder, len(a.table.fields))
	for i, column := range a.pick {
		all[column] = builder.Field(i)
	}
	for row := from; row < to; row++ {
		if err := a.appendRow(all, rendered.slice(row, row+1)); err != nil {
			return nil, fmt.Errorf("row %d: %w", row, err)
		}
	}
	record := builder.NewRecordBatch()
	defer record.Release()
	b, err := storagewire.BatchMessage(record, a.text, a.codec)
	if err != nil {
		return nil, err
	}
	a.made[key] = b
	return b, nil
}

func (a *arrowTable) appendRow(all []array.Builder, text []byte) error {
	var row wireRow
	if err := json.Unmarshal(text, &row); err != nil {
		return err
	}
	for _, i := range a.pick {
		if err := appendArrowCell(all[i], &a.table.fields[i], row.F[i].V); err != nil {
			return fmt.Errorf("column %q: %w", a.table.fields[i].Name, err)
		}
	}
	return nil
}
