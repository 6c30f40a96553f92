package driver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

type (
	typedText  string
	typedInt   int32
	typedBytes []byte
	// scanned is a Scanner of the program's own.
	scanned struct{ src any }
	// filled is one that is an array.
	filled [4]byte
)

func (f *filled) Scan(src any) error {
	copy(f[:], fmt.Sprint(src))
	return nil
}

func (s *scanned) Scan(src any) error {
	s.src = src
	return nil
}

// goDestination is a Go type that every BigQuery type is read into, by Query and by As.
type goDestination struct {
	name string
	// query reads rows of a value, an ARRAY of it and a STRUCT with it.
	query func(ctx context.Context, q driver.Queryer, text string) ([]any, error)
	// as decodes the same three.
	as func(value, list, record any) (any, error)
}

func destination[D any]() goDestination {
	type row struct {
		C D
		L []D
		S struct{ C D }
	}
	return goDestination{
		name: reflect.TypeFor[D]().String(),
		query: func(ctx context.Context, q driver.Queryer, text string) (all []any, err error) {
			for r, err := range driver.Query[row](ctx, q, text) {
				if err != nil {
					return all, err
				}
				all = append(all, r)
			}
			return all, nil
		},
		as: func(value, list, record any) (any, error) {
			var r row
			for _, part := range []struct{ to, src any }{{&r.C, value}, {&r.L, list}, {&r.S, record}} {
				if err := driver.As(part.to).Scan(part.src); err != nil {
					return nil, err
				}
			}
			return r, nil
		},
	}
}

var goDestinations = []goDestination{
	destination[int](), destination[int8](), destination[int16](), destination[int32](), destination[int64](),
	destination[uint](), destination[uint8](), destination[uint16](), destination[uint32](), destination[uint64](),
	destination[float32](), destination[float64](), destination[bool](), destination[string](), destination[[]byte](),
	destination[any](), destination[typedText](), destination[typedInt](), destination[typedBytes](), destination[scanned](),
	destination[json.RawMessage](), destination[time.Time](), destination[time.Duration](),
	destination[civil.Date](), destination[civil.DateTime](), destination[civil.Time](),
	destination[big.Int](), destination[*big.Rat](), destination[bigquery.IntervalValue](), destination[driver.Range](),
	destination[*int64](), destination[*string](), destination[**int64](), destination[*time.Time](),
	destination[*scanned](),
	destination[sql.Null[int64]](), destination[sql.Null[string]](), destination[sql.Null[civil.Date]](),
	destination[sql.Null[time.Time]](), destination[*sql.Null[uint8]](), destination[sql.Null[*bool]](),
	destination[sql.NullInt64](), destination[sql.NullInt16](), destination[sql.NullString](),
	destination[sql.NullFloat64](),
	destination[bigquery.NullInt64](), destination[bigquery.NullFloat64](), destination[bigquery.NullBool](),
	destination[bigquery.NullString](), destination[bigquery.NullTimestamp](), destination[bigquery.NullDate](),
	destination[bigquery.NullTime](), destination[bigquery.NullDateTime](), destination[*bigquery.NullGeography](),
	destination[bigquery.NullJSON](),
	destination[sql.NullBool](), destination[sql.NullTime](), destination[fmt.Stringer](), destination[map[string]any](),
	destination[driver.Struct](), destination[struct{ X int }](), destination[chan int](), destination[filled](),
	destination[[3]int](), destination[[]any](), destination[map[typedText]any](), destination[branch](),
	destination[sql.Null[sql.Null[int]]](), destination[sql.Null[[]string]](), destination[valued](),
	destination[json.Number](), destination[*any](),
}

// TestQueryTypes: Query gives what As gives, or both refuse, for every BigQuery type, ordinary and extreme values and
// NULL, and for every kind of Go type; alone, in an ARRAY and in a STRUCT; over both read paths.
func TestQueryTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range bothPaths {
		t.Run(fmt.Sprint(tt.name, tt.field.MaxLength, tt.field.Precision), func(t *testing.T) {
			t.Parallel()
			queryType(t, tt)
		})
	}
}

func queryType(t *testing.T, tt typeCase) {
	plain, list := tt.field, tt.field
	plain.Name, list.Name, list.Mode = "c", "l", "REPEATED"
	fields := []fakebq.Field{plain, list, {Name: "s", Type: "RECORD", Fields: []fakebq.Field{plain}}}
	server := fakebq.Run(t, fakebq.Options{})
	var rows [][]any
	for _, v := range tt.values {
		if text, ok := v.in.(string); ok && len(text) > 1<<16 {
			continue // TestEveryType has it
		}
		rows = append(rows, []any{v.in, []any{v.in, v.in}, []any{v.in}})
	}
	some := tt.values[0].in
	const nullRows = 4
	rows = append(rows, []any{nil, nil, nil}, []any{nil, []any{}, []any{nil}},
		[]any{some, []any{}, nil}, []any{some, nil, []any{nil}})
	server.On("SELECT", fakebq.Answer{Fields: fields, Rows: rows, PageSize: 1})
	rest := open(t, server)
	storage := open(t, server, func(c *dsn.Config) { c.ReadAPI, c.StorageEndpoint = "storage", server.StorageURL() })
	values := readAny(t, rest, "SELECT")
	for _, d := range goDestinations {
		var want []any
		var fitting [][]any
		first := -1 // row that does not fit
		for i, v := range values {
			decoded, err := d.as(v[0], v[1], v[2])
			switch {
			case err == nil && (i < len(rows)-nullRows || len(fitting) > 0): // else the type may be refused for NULL alone
				want, fitting = append(want, decoded), append(fitting, rows[i])
			case err != nil && first < 0:
				first = len(want)
			}
		}
		got, err := d.query(t.Context(), rest, "SELECT")
		if (err != nil) != (first >= 0) && len(want) > 0 || len(got) > len(want) || !samePlain(got, want[:len(got)]) {
			t.Errorf("%s: got %#v and %v; As refuses row %d, and gives %#v", d.name, got, err, first, want)
		}
		if len(fitting) < 2 {
			continue
		}
		server.On("SELECT fitting", fakebq.Answer{Fields: fields, Rows: fitting, PageSize: 1})
		for path, db := range map[string]*sql.DB{"rest": rest, "storage": storage} {
			if got, err := d.query(t.Context(), db, "SELECT fitting"); err != nil || !samePlain(got, want) {
				t.Errorf("%s, %s: got %#v, %v; As gives %#v", path, d.name, got, err, want)
			}
		}
	}
}

// samePlain compares all fields, also those that are not exported, with NaN equal to itself.
func samePlain(a, b []any) bool {
	all := cmp.Exporter(func(reflect.Type) bool { return true })
	return len(a) == 0 && len(b) == 0 || cmp.Equal(a, b, cmpopts.EquateNaNs(), all)
}

// readAny reads rows of three columns.
func readAny(t *testing.T, db *sql.DB, text string) (all [][3]any) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var row [3]any
		if err := rows.Scan(&row[0], &row[1], &row[2]); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
