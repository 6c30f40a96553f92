package sandbox

import (
	"bytes"
	"database/sql"
	"math"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// everything has a field of each kind that is read back as it was written.
type everything struct {
	I    int64
	F    float64
	S    string
	B    []byte
	T    time.Time
	D    civil.Date
	OK   bool
	Null sql.Null[string]
	P    *int64
	In   struct{ Name *string }
	List []string
}

// FuzzDriverWriteRead states that what is written is read back equal: as a STRUCT and as the rows
// of an ARRAY, whichever of their fields are NULL.
func FuzzDriverWriteRead(f *testing.F) {
	db := openDriver(f, start(f, Config{NoData: true}), DefaultProject)
	f.Add(int64(0), 0.0, "", []byte{}, int64(0), byte(0))
	f.Add(
		int64(math.MinInt64),
		math.Inf(-1),
		"naïve \x00 '\"?@p",
		[]byte{0, 255},
		int64(-62135596800000000),
		byte(0b111),
	)
	f.Add(
		int64(math.MaxInt64),
		math.SmallestNonzeroFloat64,
		"\u2028",
		[]byte("{}"),
		int64(253402300799999999),
		byte(0b101),
	)
	f.Fuzz(func(t *testing.T, i int64, fl float64, s string, b []byte, micros int64, nulls byte) {
		if !utf8.ValidString(s) || bytes.IndexByte([]byte(s), 0) >= 0 || math.IsNaN(fl) ||
			math.Signbit(fl) && fl == 0 {
			t.Skip("refused by design, or not equal to itself")
		}
		at := time.UnixMicro(micros).UTC()
		if at.Year() < 1 || at.Year() > 9999 {
			t.Skip("no TIMESTAMP")
		}
		v := everything{
			I:    i,
			F:    fl,
			S:    s,
			B:    append([]byte{}, b...),
			T:    at,
			D:    civil.DateOf(at),
			OK:   i > 0,
			List: []string{},
		}
		if nulls&1 != 0 {
			v.Null = sql.Null[string]{V: s, Valid: true}
		}
		if nulls&2 != 0 {
			v.P = &i
		}
		if nulls&4 != 0 {
			v.In.Name, v.List = &s, []string{s, ""}
		}
		var one everything
		if err := db.QueryRowContext(t.Context(), "SELECT @p", sql.Named("p", v)).Scan(driver.As(&one)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(one, v) {
			t.Errorf("a STRUCT: got %+v; want %+v", one, v)
		}
		written := []everything{{List: []string{}, B: []byte{}, T: at, D: civil.DateOf(at)}, v}
		var read []everything
		if err := db.QueryRowContext(t.Context(), "SELECT ?", written).Scan(driver.As(&read)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read, written) {
			t.Errorf("an ARRAY: got %+v; want %+v", read, written)
		}
	})
}
