package driver

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
)

// Range is a value of type RANGE<DATE>, RANGE<DATETIME> or RANGE<TIMESTAMP>. It includes Start and
// excludes End. Their types are civil.Date, civil.DateTime or time.Time (in UTC), and nil means
// unbounded. So does a NULL of one of these types in an argument, such as a nil *civil.Date.
type Range struct {
	Start, End any
}

// String writes the range as BigQuery prints it, [start, end) with UNBOUNDED for nil.
func (r Range) String() string { return "[" + endText(r.Start) + ", " + endText(r.End) + ")" }

func endText(v any) string {
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

// rangeEnd decodes the ends of a RANGE of one type.
type rangeEnd struct {
	parse func([]byte) (time.Time, error)
	value func(time.Time) any // returns the Go value
}

// rangeElement returns the row of the type of a RANGE's ends.
func rangeElement(elem *bq.TableFieldSchemaRangeElementType) (*scalarType, error) {
	if elem == nil {
		return nil, errors.New("the schema of a RANGE has no element type")
	}
	if scalar := scalarsByName[elem.Type]; scalar != nil && scalar.end != nil {
		return scalar, nil
	}
	return nil, fmt.Errorf("RANGE<%s> is not known to this driver: CAST it to STRING", elem.Type)
}

// rangeKind returns the kind of RANGE<elem>.
func rangeKind(elem *bq.TableFieldSchemaRangeElementType) (kind, error) {
	scalar, err := rangeElement(elem)
	if err != nil {
		return kind{}, err
	}
	end := func(text []byte) (any, error) {
		if text == nil {
			return nil, nil
		}
		t, err := scalar.end.parse(text)
		if err != nil {
			return nil, err
		}
		return scalar.end.value(t), nil
	}
	return scalarKind("RANGE<"+scalar.name+">", func(text []byte) (r Range, err error) {
		ends, err := splitRange(text)
		if err != nil {
			return r, err
		}
		if r.Start, err = end(ends[0]); err == nil {
			r.End, err = end(ends[1])
		}
		return r, err
	}, func(_ *boxes, r Range) any { return r }), nil
}

// splitRange returns the texts of the ends of [start, end), nil for an unbounded one.
func splitRange(text []byte) (ends [2][]byte, err error) {
	inner, ok := bytes.CutPrefix(text, []byte("["))
	inner, ok2 := bytes.CutSuffix(inner, []byte(")"))
	start, end, ok3 := bytes.Cut(inner, []byte(", "))
	if !ok || !ok2 || !ok3 {
		return ends, errors.New("not of the form [start, end)")
	}
	ends = [2][]byte{start, end}
	for i, text := range ends {
		if string(text) == "UNBOUNDED" || string(text) == "NULL" {
			ends[i] = nil
		}
	}
	return ends, nil
}
