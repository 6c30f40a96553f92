package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"go.uber.org/goleak"
)

func openDB(t testing.TB) *DB {
	t.Helper()
	db, err := Open(Config{MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func query(t testing.TB, db *DB, sql string, params []Value, types ...googlesql.Type) (*Result, error) {
	t.Helper()
	c, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	var cols []googlesql.Column
	for i, typ := range types {
		cols = append(cols, googlesql.Column{Name: fmt.Sprint("c", i), Type: typ})
	}
	return c.Query(t.Context(), sql, params, cols, 0)
}

func typ(k googlesql.Kind) googlesql.Type { return googlesql.Type{Kind: k} }

func array(e googlesql.Type) googlesql.Type {
	return googlesql.Type{Kind: googlesql.Array, Elem: &e}
}

func structOf(fields ...googlesql.Field) googlesql.Type {
	return googlesql.Type{Kind: googlesql.Struct, Fields: fields}
}

// show prints a value for comparison.
func show(v *Vector, i int) string {
	if v.Null(i) {
		return "NULL"
	}
	switch v.Type.Kind {
	case googlesql.Float64:
		return fmt.Sprint(v.Floats[i])
	case googlesql.Bool:
		return fmt.Sprint(v.Bools[i])
	case googlesql.String, googlesql.JSON, googlesql.Bytes, googlesql.BigNumeric:
		return fmt.Sprintf("%q", v.Bytes(i))
	case googlesql.Numeric:
		return string(v.Decimals[i].AppendDecimal(nil, 9))
	case googlesql.Interval:
		return fmt.Sprint(v.Intervals[i])
	case googlesql.Array:
		var parts []string
		for k := v.Offsets[i]; k < v.Offsets[i+1]; k++ {
			parts = append(parts, show(v.Elem, int(k)))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case googlesql.Struct:
		var parts []string
		for _, f := range v.Fields {
			parts = append(parts, show(f, i))
		}
		return "{" + strings.Join(parts, " ") + "}"
	default:
		return fmt.Sprint(v.Ints[i])
	}
}

func TestResults(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	i64, str := typ(googlesql.Int64), typ(googlesql.String)
	tests := []struct {
		sql  string
		typ  googlesql.Type
		want string
	}{
		{"SELECT 42::BIGINT", i64, "42"},
		{"SELECT 42::TINYINT", i64, "42"},
		{"SELECT sum(x) FROM (VALUES (9223372036854775806::BIGINT), (1)) t(x)", i64, "9223372036854775807"},
		{"SELECT NULL", i64, "NULL"},
		{"SELECT NULL", str, "NULL"},
		{"SELECT NULL", array(i64), "[]"},
		{"SELECT 1.5::DOUBLE", typ(googlesql.Float64), "1.5"},
		{"SELECT 'nan'::DOUBLE", typ(googlesql.Float64), "NaN"},
		{"SELECT true", typ(googlesql.Bool), "true"},
		{"SELECT 'short'", str, `"short"`},
		{"SELECT 'much longer than twelve bytes'", str, `"much longer than twelve bytes"`},
		{"SELECT ''", str, `""`},
		{`SELECT '\x00\xFF'::BLOB`, typ(googlesql.Bytes), `"\x00\xff"`},
		{"SELECT -0.000000001::DECIMAL(38,9)", typ(googlesql.Numeric), "-0.000000001"},
		{"SELECT 99999999999999999999999999999.999999999::DECIMAL(38,9)", typ(googlesql.Numeric),
			"99999999999999999999999999999.999999999"},
		{"SELECT 12.50::DECIMAL(4,2)", typ(googlesql.Numeric), "12.5"},
		{"SELECT 1200::DECIMAL(18,0)", typ(googlesql.Numeric), "1200"},
		{"SELECT DATE '0001-01-01'", typ(googlesql.Date), fmt.Sprint(minDate)},
		{"SELECT DATE '9999-12-31'", typ(googlesql.Date), fmt.Sprint(maxDate)},
		{"SELECT TIME '23:59:59.999999'", typ(googlesql.Time), fmt.Sprint(dayMicros - 1)},
		{"SELECT TIMESTAMP '1970-01-02 00:00:00.000001'", typ(googlesql.Datetime), fmt.Sprint(dayMicros + 1)},
		{"SELECT TIMESTAMPTZ '1970-01-01 01:00:00+01'", typ(googlesql.Timestamp), "0"},
		{"SELECT TIMESTAMPTZ '1970-01-01 00:00:00'", typ(googlesql.Timestamp), "0"},
		{"SELECT INTERVAL '1 year 2 days 3 seconds'", typ(googlesql.Interval), "{12 2 3000000}"},
		{`SELECT '{"a": 1}'::JSON`, typ(googlesql.JSON), `"{\"a\": 1}"`},
		{"SELECT [1, 2, 3]::BIGINT[]", array(i64), "[1 2 3]"},
		{"SELECT []::BIGINT[]", array(i64), "[]"},
		{"SELECT {'a': 1::BIGINT, 'b': 'x'}", structOf(googlesql.Field{Name: "a", Type: i64},
			googlesql.Field{Name: "b", Type: str}), `{1 "x"}`},
		{"SELECT [{'a': [1::BIGINT]}, {'a': NULL}]", array(structOf(googlesql.Field{Name: "a", Type: array(i64)})),
			`[{[1]} {[]}]`},
		{"SELECT NULL::STRUCT(a BIGINT)", structOf(googlesql.Field{Name: "a", Type: i64}), "NULL"},
	}
	for _, tt := range tests {
		res, err := query(t, db, tt.sql, nil, tt.typ)
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if res.Rows != 1 {
			t.Errorf("%s: got %d rows; want 1", tt.sql, res.Rows)
			continue
		}
		if got := show(res.Blocks[0].Columns[0], 0); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.sql, got, tt.want)
		}
	}
}

func TestResultErrors(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	i64 := typ(googlesql.Int64)
	tests := []struct{ sql, want string }{
		{"SELECT 9223372036854775807::HUGEINT + 1", "int64 overflow"},
		{"SELECT 'x'", "type"},
		{"SELECT 1, 2", "columns"},
		{"SELECT CAST('abc' AS BIGINT)", "conversion"},
		{"SELECT nosuch FROM nosuch", "catalog"},
		{"SELEC 1", "parser"},
		{"", "empty"},
		{"SELECT 1; SELECT 2", "more than one"},
		{"SELECT $1::BIGINT", "parameters"},
	}
	for _, tt := range tests {
		_, err := query(t, db, tt.sql, nil, i64)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v; want one with %q", tt.sql, err, tt.want)
		}
	}
	if _, err := query(t, db, "SELECT [1, NULL]::BIGINT[]", nil, array(i64)); !errors.Is(err, ErrNullElement) {
		t.Errorf("array with NULL: got %v; want ErrNullElement", err)
	}
}

func TestParams(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	i64, str := typ(googlesql.Int64), typ(googlesql.String)
	rec := structOf(googlesql.Field{Name: "a", Type: i64}, googlesql.Field{Name: "B c", Type: str})
	dec, _ := Int128FromBig(new(big.Int).Neg(big.NewInt(1)))
	tests := []struct {
		value Value
		want  string
	}{
		{Value{Type: i64, Int: math.MinInt64}, "-9223372036854775808"},
		{Value{Type: i64, Null: true}, "NULL"},
		{Value{Type: typ(googlesql.Float64), Float: 0.1}, "0.1"},
		{Value{Type: typ(googlesql.Bool), Bool: true}, "true"},
		{Value{Type: str, Text: "a\x00b"}, `"a\x00b"`},
		{Value{Type: str}, `""`},
		{Value{Type: typ(googlesql.Bytes), Text: "\x00\xff"}, `"\x00\xff"`},
		{Value{Type: typ(googlesql.Bytes)}, `""`},
		{Value{Type: typ(googlesql.Numeric), Decimal: dec}, "-0.000000001"},
		{Value{Type: typ(googlesql.Date), Int: minDate}, fmt.Sprint(minDate)},
		{Value{Type: typ(googlesql.Time), Int: 1}, "1"},
		{Value{Type: typ(googlesql.Datetime), Int: minMicros}, fmt.Sprint(minMicros)},
		{Value{Type: typ(googlesql.Timestamp), Int: maxMicros}, fmt.Sprint(maxMicros)},
		{Value{Type: typ(googlesql.Interval), Interval: Interval{Months: 1, Days: -2, Micros: 3}}, "{1 -2 3}"},
		{Value{Type: array(i64), Elems: []Value{{Type: i64, Int: 1}, {Type: i64, Int: 2}}}, "[1 2]"},
		{Value{Type: array(i64)}, "[]"},
		{Value{Type: array(typ(googlesql.Numeric)), Elems: []Value{{Type: typ(googlesql.Numeric), Decimal: dec}}},
			"[-0.000000001]"},
		{Value{Type: array(typ(googlesql.Bytes)), Elems: []Value{{Type: typ(googlesql.Bytes), Text: "\xfe"}}},
			`["\xfe"]`},
		{Value{Type: rec, Elems: []Value{{Type: i64, Int: 1}, {Type: str, Null: true}}}, "{1 NULL}"},
		{Value{Type: array(rec), Elems: []Value{{Type: rec,
			Elems: []Value{{Type: i64, Int: 1}, {Type: str, Text: "x"}}}}}, `[{1 "x"}]`},
	}
	for _, tt := range tests {
		res, err := query(t, db, "SELECT $1", []Value{tt.value}, tt.value.Type)
		if err != nil {
			t.Errorf("%+v: %v", tt.value, err)
			continue
		}
		if got := show(res.Blocks[0].Columns[0], 0); got != tt.want {
			t.Errorf("%+v: got %s; want %s", tt.value, got, tt.want)
		}
	}
}

func TestManyRowsKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	res, err := query(t, db, `SELECT CASE WHEN i % 7 = 0 THEN NULL ELSE i END, 'value number ' || i, [i, i + 1],
		CASE WHEN i % 5 = 0 THEN NULL ELSE {'x': i} END FROM range(10000) r(i) ORDER BY i`, nil,
		typ(googlesql.Int64), typ(googlesql.String), array(typ(googlesql.Int64)),
		structOf(googlesql.Field{Name: "x", Type: typ(googlesql.Int64)}))
	if err != nil {
		t.Fatal(err)
	}
	if res.Rows != 10000 {
		t.Fatalf("got %d rows; want 10000", res.Rows)
	}
	for i := int64(0); i < res.Rows; i++ {
		b, off := res.Find(i)
		cols := res.Blocks[b].Columns
		want := []string{fmt.Sprint(i), fmt.Sprintf("%q", fmt.Sprint("value number ", i)),
			fmt.Sprintf("[%d %d]", i, i+1), fmt.Sprintf("{%d}", i)}
		if i%7 == 0 {
			want[0] = "NULL"
		}
		if i%5 == 0 {
			want[3] = "NULL"
		}
		for k, w := range want {
			if got := show(cols[k], off); got != w {
				t.Fatalf("row %d column %d: got %s; want %s", i, k, got, w)
			}
		}
	}
	if b, _ := res.Find(10000); b != len(res.Blocks) {
		t.Errorf("Find past the end: got block %d; want %d", b, len(res.Blocks))
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	c, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	cols := []googlesql.Column{{Name: "i", Type: typ(googlesql.Int64)}}
	_, err = c.Query(t.Context(), "SELECT i FROM range(1000000) r(i)", nil, cols, 100_000)
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v; want ErrTooLarge", err)
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("stopped by the test")
	started := time.Now()
	time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
	c, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Query(ctx, "SELECT count(*) FROM range(10000000) a(i), range(10000000) b(j) WHERE i + j = 3", nil,
		[]googlesql.Column{{Name: "n", Type: typ(googlesql.Int64)}}, 0)
	if !errors.Is(err, cause) {
		t.Errorf("got %v; want the cause of the cancel", err)
	}
	if d := time.Since(started); d > 10*time.Second {
		t.Errorf("the interrupt took %v", d)
	}
	c.Release()
	if _, err := query(t, db, "SELECT 1", nil, typ(googlesql.Int64)); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
}

// A result is read while it is computed: what goes wrong late must not look like
// its end.
func TestLateErrors(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	_, err := query(t, db, "SELECT CASE WHEN i = 900000 THEN error('too late') ELSE i END FROM range(1000000) r(i)",
		nil, typ(googlesql.Int64))
	if err == nil || !strings.Contains(err.Error(), "too late") {
		t.Errorf("an error after many rows: got %v; want it", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	_, err = c.Query(ctx, "SELECT i FROM range(100000000000) r(i)", nil,
		[]googlesql.Column{{Name: "i", Type: typ(googlesql.Int64)}}, 0)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopped while rows come: got %v; want the deadline", err)
	}
	_, err = c.Query(t.Context(), "SELECT i FROM range(100000000000) r(i)", nil,
		[]googlesql.Column{{Name: "i", Type: typ(googlesql.Int64)}}, 1<<20)
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("rows without an end: got %v; want ErrTooLarge", err)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			res, err := query(t, db, fmt.Sprintf("SELECT sum(i) + %d FROM range(100000) r(i)", g), nil,
				typ(googlesql.Int64))
			if err != nil {
				t.Error(err)
				return
			}
			if got, want := show(res.Blocks[0].Columns[0], 0), fmt.Sprint(4999950000+g); got != want {
				t.Errorf("got %s; want %s", got, want)
			}
		})
	}
	wg.Wait()
}

func TestChanged(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	if _, err := db.Exec(t.Context(),
		"CREATE TABLE t (a BIGINT NOT NULL); INSERT INTO t VALUES (1), (2), (3)"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		sql  string
		want int64
	}{{"INSERT INTO t SELECT $1", 1}, {"UPDATE t SET a = a + 1 WHERE a > $1", 2}, {"DELETE FROM t WHERE a > $1", 2}} {
		res, err := query(t, db, tt.sql, []Value{{Type: typ(googlesql.Int64), Int: 1}})
		if err != nil {
			t.Fatal(err)
		}
		if res.Changed != tt.want {
			t.Errorf("%s: got %d rows changed; want %d", tt.sql, res.Changed, tt.want)
		}
	}
	_, err := query(t, db, "INSERT INTO t VALUES (NULL)", nil)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Type != "constraint" {
		t.Errorf("NULL into NOT NULL: got %v; want a constraint error", err)
	}
}

func TestParquetIsLinkedIn(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	started := time.Now()
	n, err := db.Exec(t.Context(), "CREATE TABLE names AS SELECT * FROM read_parquet('../data/ssa_names_tx.parquet')")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows in %v", n, time.Since(started))
	if err := db.Lock(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), "SELECT * FROM read_parquet('../data/ssa_names_tx.parquet')"); err == nil {
		t.Error("a locked database reads files")
	}
}

func TestNullOrder(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, tt := range []struct{ dir, want string }{{"ASC", "NULL"}, {"DESC", "1"}} {
		res, err := query(t, db, "SELECT x FROM (VALUES (1), (NULL)) t(x) ORDER BY x "+tt.dir, nil,
			typ(googlesql.Int64))
		if err != nil {
			t.Fatal(err)
		}
		if got := show(res.Blocks[0].Columns[0], 0); got != tt.want {
			t.Errorf("%s: got %s first; want %s", tt.dir, got, tt.want)
		}
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
