package columntype

import (
	"database/sql"
	"database/sql/driver"
	"math/big"
	"reflect"
	"testing"
	"time"

	"cloud.google.com/go/civil"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"int64", "INT64"}, {"bigint(20)", "INT64"}, {"varchar(20)", "STRING(20)"}, {"character varying (5)",
			"STRING(5)"},
		{"numeric(10,2)", "NUMERIC(10, 2)"}, {"decimal(10, 0)", "NUMERIC(10)"}, {"BIGDECIMAL", "BIGNUMERIC"},
		{"timestamp(6)", "TIMESTAMP"}, {"timestamp(12)", "TIMESTAMP(12)"}, {"timestamptz", "TIMESTAMP"}, {"datetime(3)", "DATETIME"}, {"jsonb", "JSON"},
		{"double precision", "FLOAT64"}, {"ARRAY<STRING>", "ARRAY<STRING>"}, {"STRUCT<a INT64>", "STRUCT<a INT64>"},
		{"geography", "GEOGRAPHY"},
	} {
		if got := Canonical(c.name); got != c.want {
			t.Errorf("%s: got %s; want %s", c.name, got, c.want)
		}
	}
}

// texts is a Valuer that makes text of itself, as a uuid.UUID does.
type texts [16]byte

func (texts) Value() (driver.Value, error) { return "", nil }

func TestOf(t *testing.T) {
	t.Parallel()
	type inner struct {
		A *int
		B []byte `bigquery:"bytes,nullable"`
		C string `bigquery:"-"`
		d int
	}
	type outer struct {
		inner
		Many []inner
		At   time.Time
		Day  sql.Null[civil.Date]
		N    *big.Rat
		Old  sql.NullInt32
		IDs  []texts
	}
	if got, err := Of(reflect.TypeFor[[]outer]()); err != nil || got !=
		"ARRAY<STRUCT<A INT64, bytes BYTES, Many ARRAY<STRUCT<A INT64, bytes BYTES>>, At TIMESTAMP, Day DATE, N "+
			"NUMERIC, Old INT64, IDs ARRAY<STRING>>>" {
		t.Errorf("got %s, %v (%v)", got, err, inner{}.d)
	}
	type self struct{ Next *self }
	for _, typ := range []reflect.Type{reflect.TypeFor[chan int](), reflect.TypeFor[map[string]int](),
		reflect.TypeFor[struct{}](), reflect.TypeFor[self]()} {
		if got, err := Of(typ); err == nil {
			t.Errorf("%s: got %s; want an error", typ, got)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, want string
		rel        Relation
	}{
		{"INT64", "INT64", Same}, {"INT64", "NUMERIC", Wider}, {"INT64", "FLOAT64", Wider}, {"NUMERIC", "INT64",
			Same}, {"STRING", "INT64", Incompatible},
		{"STRING(5)", "STRING(6)", Wider}, {"STRING(5)", "STRING", Wider}, {"STRING", "STRING(5)", Same},
		{"STRING(5)", "STRING(4)", Same},
		{"NUMERIC(10, 2)", "NUMERIC(12,4)", Wider}, {"NUMERIC(10,2)", "NUMERIC(10,4)", Incompatible},
		{"NUMERIC(10, 2)", "BIGNUMERIC(38, 9)", Wider},
		{"INT64", "NUMERIC(18)", Incompatible}, {"INT64", "NUMERIC(19)", Wider}, {"NUMERIC", "NUMERIC(10)", Same},
		{"BIGNUMERIC", "FLOAT64", Wider},
		{"ARRAY<INT64>", "array< int64 >", Same}, {"STRUCT<a INT64>", "STRUCT<a INT64, b INT64>", Wider},
		{"TIMESTAMP", "DATE", Incompatible}, {"TIMESTAMP(12)", "TIMESTAMP", Same}, {"TIMESTAMP", "TIMESTAMP(12)", Wider},
	} {
		if got := Compare(c.have, c.want); got != c.rel {
			t.Errorf("%s to %s: got %d; want %d", c.have, c.want, got, c.rel)
		}
	}
}

func TestOfValues(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"INT64": "INT64", "STRING(10)": "STRING", "NUMERIC(10, 2)": "NUMERIC", "TIMESTAMP (12)": "TIMESTAMP",
		"ARRAY<STRUCT<a STRING(3), b NUMERIC(5,1)>>": "ARRAY<STRUCT<a STRING, b NUMERIC>>",
	} {
		if got := OfValues(in); got != want {
			t.Errorf("%s: got %s; want %s", in, got, want)
		}
	}
}
