package driver

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
)

// Range is a value of type RANGE<DATE>, RANGE<DATETIME> or RANGE<TIMESTAMP>: from Start,
// which belongs to it, up to End, which does not. The ends are civil.Date, civil.DateTime
// and time.Time (in UTC), in this order of the types; nil where the range has no bound.
type Range struct {
	Start, End any
}

// String writes the range as BigQuery prints it, [start, end) with UNBOUNDED for nil.
func (r Range) String() string { return "[" + rangeEnd(r.Start) + ", " + rangeEnd(r.End) + ")" }

func rangeEnd(v any) string {
	switch v := v.(type) {
	case nil:
		return "UNBOUNDED"
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999+00")
	case civil.DateTime:
		return datetimeText(v, "T")
	}
	return fmt.Sprint(v)
}

// rangeKind makes the kind of RANGE<elem>.
func rangeKind(elem *bq.TableFieldSchemaRangeElementType) (kind, error) {
	if elem == nil {
		return kind{}, errors.New("a RANGE without an element type")
	}
	parse, ok := rangeEnds[elem.Type]
	if !ok {
		return kind{}, fmt.Errorf("RANGE<%s> is not known to this driver: CAST it to STRING", elem.Type)
	}
	return scalarKind("RANGE<"+elem.Type+">", "", func(text []byte) (Range, error) {
		inner, ok := bytes.CutPrefix(text, []byte("["))
		inner, ok2 := bytes.CutSuffix(inner, []byte(")"))
		start, end, ok3 := bytes.Cut(inner, []byte(", "))
		if !ok || !ok2 || !ok3 {
			return Range{}, errors.New("not of the form [start, end)")
		}
		var r Range
		var err error
		if r.Start, err = parse(start); err == nil {
			r.End, err = parse(end)
		}
		return r, err
	}, func(_ *boxes, r Range) any { return r }), nil
}

// rangeEnds has the types that a RANGE can be of, and how their ends are read.
var rangeEnds = map[string]func([]byte) (any, error){
	"DATE":      bound(parseDate, civil.DateOf),
	"DATETIME":  bound(parseDatetime, civil.DateTimeOf),
	"TIMESTAMP": bound(parseTimestamp, func(t time.Time) time.Time { return t }),
}

func bound[T any](parse func([]byte) (time.Time, error), of func(time.Time) T) func([]byte) (any, error) {
	return func(text []byte) (any, error) {
		if string(text) == "UNBOUNDED" || string(text) == "NULL" {
			return nil, nil
		}
		t, err := parse(text)
		if err != nil {
			return nil, err
		}
		return of(t), nil
	}
}
