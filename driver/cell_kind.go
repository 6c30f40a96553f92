package driver

import (
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// kind describes the values of one BigQuery type and reads them from JSON. It is bound once for
// each column, so that the row loop only calls read.
type kind struct {
	name     string       // in GoogleSQL
	plain    reflect.Type // ScanType of a column that is never NULL
	nullable reflect.Type // ScanType of a column that can be NULL

	// read reads a value that is not NULL; list reads an ARRAY of such values.
	read func(*cursor) (any, error)
	list func(*cursor) (any, error)
	many reflect.Type // the type of list's result

	typed any // a func(*cursor) (T, error), where T is plain: read without an interface
}

// scalarKind returns the kind of a type whose values are strings in JSON.
func scalarKind[T any](name string, parse func([]byte) (T, error), box func(*boxes, T) any) kind {
	return kindOf(name, func(c *cursor) (T, error) {
		text, err := c.str()
		if err != nil {
			var none T
			return none, errCell
		}
		v, err := parse(text)
		if err != nil {
			return v, fmt.Errorf("not a %s: %w", name, err)
		}
		return v, nil
	}, box)
}

// textKind returns the kind of a type whose Go values are strings. check returns the text to keep.
func textKind(name string, check func([]byte) ([]byte, error)) kind {
	return kindOf(name, func(c *cursor) (string, error) {
		text, err := c.str()
		if err != nil {
			return "", errCell
		}
		if text, err = check(text); err != nil {
			return "", fmt.Errorf("not a %s: %w", name, err)
		}
		return c.boxes.str(text), nil
	}, (*boxes).string)
}

// timeKind returns the kind of a type whose values are marked times.
func timeKind(name string, f form, parse func([]byte) (time.Time, uint16, error)) kind {
	read := func(c *cursor) (time.Time, uint16, error) {
		text, err := c.str()
		if err != nil {
			return time.Time{}, 0, errCell
		}
		t, picos, err := parse(text)
		if err != nil {
			return t, 0, fmt.Errorf("not a %s: %w", name, err)
		}
		return t, picos, nil
	}
	k := kindOf(name, func(c *cursor) (time.Time, error) { t, _, err := read(c); return t, err }, (*boxes).time)
	k.read = func(c *cursor) (any, error) {
		t, picos, err := read(c)
		if err != nil {
			return nil, err
		}
		return c.boxes.mark(f, t, picos), nil
	}
	k.list = func(c *cursor) (any, error) {
		var below []uint16
		list, err := readList(c, func(c *cursor) (time.Time, error) {
			t, picos, err := read(c)
			if f == formPicos {
				below = append(below, picos)
			}
			return t, err
		})
		if err != nil {
			return nil, err
		}
		return c.boxes.markTimes(f, list, below), nil
	}
	return k
}

// jsonKind returns k with values that are marked as JSON.
func jsonKind(k kind) kind {
	read, list := k.read, k.list
	k.read = func(c *cursor) (any, error) {
		v, err := read(c)
		if err != nil {
			return nil, err
		}
		return c.boxes.json(v.(string)), nil
	}
	k.list = func(c *cursor) (any, error) {
		v, err := list(c)
		if err != nil {
			return nil, err
		}
		return c.boxes.markTexts(v.([]string)), nil
	}
	return k
}

func withoutPicos(parse func([]byte) (time.Time, error)) func([]byte) (time.Time, uint16, error) {
	return func(b []byte) (time.Time, uint16, error) {
		t, err := parse(b)
		return t, 0, err
	}
}

func kindOf[T any](name string, read func(*cursor) (T, error), box func(*boxes, T) any) kind {
	return kind{
		name:  name,
		plain: reflect.TypeFor[T](), nullable: reflect.TypeFor[sql.Null[T]](), many: reflect.TypeFor[[]T](),
		read: func(c *cursor) (any, error) {
			v, err := read(c)
			if err != nil {
				return nil, err
			}
			return box(c.boxes, v), nil
		},
		list: func(c *cursor) (any, error) {
			list, err := readList(c, read)
			if err != nil {
				return nil, err
			}
			return list, nil
		},
		typed: read,
	}
}

// readList reads [{"v": ...}, ...]. An ARRAY in a result has no NULL elements.
func readList[T any](c *cursor, read func(*cursor) (T, error)) ([]T, error) {
	list := []T{}
	if !c.accept('[') {
		return nil, errCell
	}
	for i := 0; !c.accept(']'); i++ {
		if i > 0 && !c.accept(',') || !openCell(c) {
			return nil, fmt.Errorf("[%d]: %w", i, errCell)
		}
		if c.null() {
			return nil, fmt.Errorf("[%d]: %w", i, errNullElement)
		}
		v, err := read(c)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		if !c.accept('}') {
			return nil, fmt.Errorf("[%d]: %w", i, errCell)
		}
		list = append(list, v)
	}
	return list, nil
}

// kindOfField returns the kind of a schema's field, and its full type in GoogleSQL.
func kindOfField(f *bq.TableFieldSchema) (k kind, text string, err error) {
	switch f.Type {
	case "RECORD", "STRUCT":
		k, text, err = structKind(f.Fields)
	case "RANGE":
		k, err = rangeKind(f.RangeElementType)
		text = k.name
	default:
		scalar := scalarOf(f)
		if scalar == nil {
			return k, "", fmt.Errorf("the type %s is not known to this driver: CAST it to STRING", f.Type)
		}
		k, text = scalar.kind, scalar.name+typeParameters(f)
	}
	if err != nil || f.Mode != "REPEATED" {
		return k, text, err
	}
	// A NULL ARRAY arrives as an empty one, so an ARRAY is never NULL.
	return kind{name: "ARRAY", plain: k.many, nullable: k.many, read: k.list}, "ARRAY<" + text + ">", nil
}

// havePicos reports whether the fields contain a TIMESTAMP(12), at any depth.
func havePicos(fields []*bq.TableFieldSchema) bool {
	return slices.ContainsFunc(fields, func(f *bq.TableFieldSchema) bool {
		scalar := scalarOf(f)
		return scalar != nil && scalar.name == "TIMESTAMP(12)" || havePicos(f.Fields)
	})
}

func typeParameters(f *bq.TableFieldSchema) string {
	switch {
	case f.MaxLength > 0:
		return fmt.Sprintf("(%d)", f.MaxLength)
	case f.Precision > 0 && f.Scale > 0:
		return fmt.Sprintf("(%d, %d)", f.Precision, f.Scale)
	case f.Precision > 0:
		return fmt.Sprintf("(%d)", f.Precision)
	}
	return ""
}

// structKind returns the kind of a STRUCT with these fields.
func structKind(fields []*bq.TableFieldSchema) (kind, string, error) {
	columns := make([]column, len(fields))
	parts := make([]string, len(fields))
	for i, f := range fields {
		k, text, err := kindOfField(f)
		if err != nil {
			return kind{}, "", fmt.Errorf("field %q: %w", f.Name, err)
		}
		columns[i] = column{name: f.Name, kind: k, required: f.Mode == "REQUIRED", repeated: f.Mode == "REPEATED"}
		parts[i] = strings.TrimSpace(f.Name + " " + text)
	}
	read := func(c *cursor) (Struct, error) {
		if err := openCells(c); err != nil {
			return Struct{}, errCell
		}
		s := Struct{Fields: make([]StructField, len(columns))}
		for i := range columns {
			if i > 0 && !c.accept(',') {
				return s, fmt.Errorf(".%s: %w", columns[i].name, errTooFewCells)
			}
			v, err := columns[i].cell(c)
			if err != nil {
				return s, fmt.Errorf(".%s: %w", columns[i].name, err)
			}
			s.Fields[i] = StructField{Name: columns[i].name, Value: v}
		}
		if !c.accept(']') || !c.accept('}') {
			return s, errTooManyCells
		}
		return s, nil
	}
	k := kindOf("STRUCT", read, func(_ *boxes, v Struct) any { return v })
	return k, "STRUCT<" + strings.Join(parts, ", ") + ">", nil
}
