package cells

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func TestScan(t *testing.T) {
	t.Parallel()
	micros := func(s string) int64 {
		m, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return m.UnixMicro()
	}
	for _, tt := range []struct {
		kind googlesql.Kind
		text string
		want engine.Value
	}{
		{googlesql.Timestamp, "2024-01-02 03:04:05+00:00", engine.Value{Int: micros("2024-01-02T03:04:05Z")}},
		{googlesql.Timestamp, "2024-01-02T03:04:05.5Z", engine.Value{Int: micros("2024-01-02T03:04:05.5Z")}},
		{googlesql.Timestamp, "2024-01-02 03:04:05.123456+05:30",
			engine.Value{Int: micros("2024-01-01T21:34:05.123456Z")}},
		{googlesql.Timestamp, "2024-01-02 03:04:05-08", engine.Value{Int: micros("2024-01-02T11:04:05Z")}},
		{googlesql.Timestamp, "2024-01-02 03:04:05 UTC", engine.Value{Int: micros("2024-01-02T03:04:05Z")}},
		{googlesql.Timestamp, "2024-01-02", engine.Value{Int: micros("2024-01-02T00:00:00Z")}},
		{googlesql.Datetime, "2024-01-02 03:04:05", engine.Value{Int: micros("2024-01-02T03:04:05Z")}},
		{googlesql.Datetime, "2024-01-02T03:04:05.000001", engine.Value{Int: micros("2024-01-02T03:04:05.000001Z")}},
		{googlesql.Time, "23:59:59.999999", engine.Value{Int: 86399999999}},
		{googlesql.Numeric, "1e3", engine.Value{Decimal: decimal("1000000000000")}},
		{googlesql.Numeric, "0.0000000005", engine.Value{Decimal: decimal("1")}},
		{googlesql.Numeric, "-0.0000000005", engine.Value{Decimal: decimal("-1")}},
		{googlesql.Numeric, "0.0000000004", engine.Value{Decimal: decimal("0")}},
		{googlesql.Interval, "-1-2 -3 -4:5:6.5", engine.Value{Interval: engine.Interval{Months: -14, Days: -3,
			Micros: -(4*3600e6 + 5*60e6 + 6500000)}}},
		{googlesql.Bool, "TRUE", engine.Value{Bool: true}},
		{googlesql.Float64, "+Inf", engine.Value{Float: math.Inf(1)}},
	} {
		got := engine.Value{Type: kind(tt.kind)}
		tt.want.Type = kind(tt.kind)
		if !Scan(&got, tt.text) || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %q: got %+v; want %+v", tt.kind, tt.text, got, tt.want)
		}
	}
	for k, texts := range map[googlesql.Kind]string{
		googlesql.Int64:   "|x|1.0|9223372036854775808| 1",
		googlesql.Float64: "|x|0x10|1_0",
		googlesql.Bool:    "|1|yes",
		googlesql.Bytes:   "|*|abc",
		googlesql.Numeric: "|x|1/3|0x1|1e39|100000000000000000000000000000|1e9999",
		googlesql.Date:    "|2024-02-30|0000-01-01|24-01-01|2024-01-01 00:00:00",
		googlesql.Time:    "|25:00:00|12:00",
		googlesql.Datetime: "|2024-02-30 00:00:00|2024-01-01 24:00:00|0000-01-01|2024-01-01 00:00:00Z|2024-01-01 " +
			"00:00:00.1234567",
		googlesql.Timestamp: "|2024-13-01|2024-01-01 00:00:00 Nowhere/City|1e9",
		googlesql.Interval:  "|1 day|1-2|99999-0 0 0:0:0",
		googlesql.JSON:      "|{|nul",
		googlesql.String:    "\xff",
	} {
		for _, text := range strings.Split(texts, "|") {
			if text == "" && k == googlesql.Bytes {
				continue // empty bytes
			}
			v := engine.Value{Type: kind(k)}
			if Scan(&v, text) {
				t.Errorf("%s %q: got %+v; want a refusal", k, text, v)
			}
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{"1", "2024-01-02 03:04:05+00:00", "1-2 3 4:5:6.5", "1e5", "-0.5", "12:34:56"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// No text makes it panic, and what it takes is in BigQuery's range.
		for _, k := range []googlesql.Kind{googlesql.Int64, googlesql.Float64, googlesql.Numeric, googlesql.Date,
			googlesql.Time, googlesql.Datetime, googlesql.Timestamp, googlesql.Interval, googlesql.Bytes} {
			v := engine.Value{Type: kind(k)}
			if !Scan(&v, s) {
				continue
			}
			if k == googlesql.Datetime && (v.Int < -62135596800000000 || v.Int > 253402300799999999) {
				t.Errorf("%s %q: got %d", k, s, v.Int)
			}
			if k == googlesql.Numeric && v.Decimal.Big().CmpAbs(maxNumeric) >= 0 {
				t.Errorf("%s %q: got %v", k, s, v.Decimal.Big())
			}
		}
	})
}
