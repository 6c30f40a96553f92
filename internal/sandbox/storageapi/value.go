package storageapi

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/cells"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

// valueOf makes what a Decoder has decoded a value of a column.
func valueOf(x any, t googlesql.Type) engine.Value {
	switch x := x.(type) {
	case nil:
		return engine.Value{Type: t, Null: true}
	case storagewire.Default:
		return engine.Value{}
	case []any:
		v := engine.Value{Type: t}
		for i, e := range x {
			of := t.Elem
			if t.Kind == googlesql.Struct {
				of = &t.Fields[i].Type
			}
			v.Elems = append(v.Elems, valueOf(e, *of))
		}
		return v
	}
	return x.(engine.Value)
}

var kinds = func() map[storagepb.TableFieldSchema_Type]googlesql.Kind {
	out := map[storagepb.TableFieldSchema_Type]googlesql.Kind{}
	for k, t := range fieldTypes {
		out[t] = k
	}
	return out
}()

// scalar returns the Scalar of a Decoder. It takes what the service's table of conversions from
// protocol buffers has.
func scalar(f *storagepb.TableFieldSchema, x any) (any, error) {
	v := engine.Value{Type: googlesql.Type{Kind: kinds[f.Type]}}
	if f.GetTimestampPrecision().GetValue() == 12 {
		v.Type.Kind = googlesql.TimestampPicos
	}
	wrong := fmt.Errorf("a %T can't be put into a column of type %s", x, v.Type.Kind)
	if m, ok := x.(protoreflect.Message); ok {
		var err error
		if x, err = unwrap(m, v.Type.Kind); err != nil {
			return nil, err
		}
	}
	switch x := x.(type) {
	case storagewire.Range:
		return rangeValue(v, x, kinds[f.GetRangeElementType().GetType()])
	case int32:
		return whole(v, int64(x), wrong)
	case int64:
		return whole(v, x, wrong)
	case uint32:
		return whole(v, int64(x), wrong)
	case uint64:
		if x > math.MaxInt64 {
			return nil, fmt.Errorf("%d is out of the range of INT64", x)
		}
		return whole(v, int64(x), wrong)
	case protoreflect.EnumNumber:
		if v.Type.Kind != googlesql.Int64 {
			return nil, wrong
		}
		v.Int = int64(x)
		return v, nil
	case float32:
		return float(v, float64(x), wrong)
	case float64:
		return float(v, x, wrong)
	case bool:
		if v.Type.Kind != googlesql.Bool {
			return nil, wrong
		}
		v.Bool = x
		return v, nil
	case string:
		return text(v, x, wrong)
	case []byte:
		switch v.Type.Kind {
		case googlesql.Bytes:
			v.Text = string(x)
			return v, nil
		case googlesql.Numeric, googlesql.BigNumeric:
			return packedNumeric(v, x)
		}
	}
	return nil, wrong
}

// unwrap returns the value of one of Google's well-known types.
func unwrap(m protoreflect.Message, kind googlesql.Kind) (any, error) {
	name := m.Descriptor().FullName()
	fields := m.Descriptor().Fields()
	switch {
	case name == "google.protobuf.Timestamp" && kind == googlesql.Timestamp:
		at := time.Unix(m.Get(fields.ByName("seconds")).Int(), m.Get(fields.ByName("nanos")).Int())
		return at.UnixMicro(), nil
	case strings.HasPrefix(string(name), "google.protobuf.") && strings.HasSuffix(string(name), "Value"):
		return m.Get(fields.ByName("value")).Interface(), nil
	}
	return nil, fmt.Errorf("a message %s can't be put into a column of type %s", name, kind)
}

// The range of DATE in days and of TIMESTAMP in microseconds: years 1 to 9999.
const (
	firstDay, lastDay       = -719162, 2932896
	firstMicros, lastMicros = -62135596800000000, 253402300799999999
)

func whole(v engine.Value, n int64, wrong error) (any, error) {
	outOf := func(lo, hi int64) (any, error) {
		if n < lo || n > hi {
			return nil, fmt.Errorf("%d is out of the range of %s", n, v.Type.Kind)
		}
		v.Int = n
		return v, nil
	}
	switch v.Type.Kind {
	case googlesql.Int64:
		v.Int = n
		return v, nil
	case googlesql.Float64:
		v.Float = float64(n)
		return v, nil
	case googlesql.Bool:
		v.Bool = n != 0
		return v, nil
	case googlesql.Numeric, googlesql.BigNumeric:
		return text(v, strconv.FormatInt(n, 10), wrong)
	case googlesql.Date:
		return outOf(firstDay, lastDay)
	case googlesql.Timestamp:
		return outOf(firstMicros, lastMicros)
	case googlesql.TimestampPicos:
		if n < firstMicros || n > lastMicros {
			return outOf(firstMicros, lastMicros)
		}
		v.Decimal, _ = engine.Int128FromBig(builtin.MicrosPicos(n, 0)) // of years 1 to 9999
		return v, nil
	case googlesql.Time:
		return text(v, packedTime(n), wrong)
	case googlesql.Datetime:
		return text(v, packedDatetime(n), wrong)
	}
	return nil, wrong
}

func float(v engine.Value, f float64, wrong error) (any, error) {
	switch v.Type.Kind {
	case googlesql.Float64:
		v.Float = f
		return v, nil
	case googlesql.Numeric, googlesql.BigNumeric:
		return text(v, strconv.FormatFloat(f, 'f', -1, 64), wrong)
	}
	return nil, wrong
}

// fromText are the types that take a text.
var fromText = []googlesql.Kind{googlesql.String, googlesql.Numeric, googlesql.Date, googlesql.Time, googlesql.Datetime,
	googlesql.Interval, googlesql.JSON, googlesql.BigNumeric, googlesql.TimestampPicos}

func text(v engine.Value, s string, wrong error) (any, error) {
	switch {
	case v.Type.Kind == googlesql.Bytes:
		v.Text = s
		return v, nil
	case !slices.Contains(fromText, v.Type.Kind):
		return nil, wrong
	case !cells.Scan(&v, s):
		return nil, fmt.Errorf("invalid %s value: %q", v.Type.Kind, s)
	case digits[v.Type.Kind] > 0 && tooPrecise(s, digits[v.Type.Kind]):
		return nil, fmt.Errorf("invalid %s value: %s has more than %d digits after the point", v.Type.Kind, s,
			digits[v.Type.Kind])
	}
	return v, nil
}

// digits are how many digits after the point a type keeps.
var digits = map[googlesql.Kind]int64{googlesql.Numeric: 9, googlesql.BigNumeric: 38}

// tooPrecise reports whether a decimal has more digits after the point.
func tooPrecise(s string, digits int64) bool {
	r, ok := new(big.Rat).SetString(s)
	return ok && !r.Mul(r, new(big.Rat).SetInt(power(digits))).IsInt()
}

func power(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// rangeValue makes a RANGE of its bounds.
func rangeValue(v engine.Value, r storagewire.Range, kind googlesql.Kind) (any, error) {
	var ends [2]*int64
	for i, x := range []any{r.Start, r.End} {
		if end, ok := x.(engine.Value); ok {
			ends[i] = &end.Int
		}
	}
	made, err := builtin.MakeRange(ends[0], ends[1], string(kind))
	if err != nil {
		text, _ := builtin.Message(err.Error())
		return nil, errors.New(text)
	}
	v.Text = made.Encode()
	return v, nil
}

// packedTime reads a TIME as Google's CivilTimeEncoder packs it: hour, minute, second and microsecond in bits.
func packedTime(n int64) string {
	seconds, micros := n>>20, n&(1<<20-1)
	return fmt.Sprintf("%02d:%02d:%02d.%06d", seconds>>12, seconds>>6&63, seconds&63, micros)
}

// packedDatetime is packedTime with year, month and day before.
func packedDatetime(n int64) string {
	day := n >> 37
	return fmt.Sprintf("%04d-%02d-%02dT%s", day>>9, day>>5&15, day&31, packedTime(n&(1<<37-1)))
}

// packedNumeric reads a NUMERIC or BIGNUMERIC as Google's BigDecimalByteStringEncoder packs it: units of its last digit
// in two's complement, the least significant byte first.
func packedNumeric(v engine.Value, raw []byte) (any, error) {
	if len(raw) == 0 || len(raw) > 32 {
		return nil, fmt.Errorf("invalid %s value: %d bytes", v.Type.Kind, len(raw))
	}
	high := slices.Clone(raw)
	slices.Reverse(high)
	n := new(big.Int).SetBytes(high)
	if high[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(high))))
	}
	places := digits[v.Type.Kind]
	return text(v, new(big.Rat).SetFrac(n, power(places)).FloatString(int(places)), nil)
}
