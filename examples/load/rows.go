package main

import (
	"cmp"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row maps the names of columns to values. A missing column becomes NULL.
type row = map[string]any

// rows are the rows of a file while it is read.
func (l *loading) rows(r io.Reader, columns map[string]string) iter.Seq2[row, error] {
	if l.lines() {
		return jsonRows(r, columns)
	}
	return csvRows(r, columns)
}

// csvRows reads CSV with the names in the first line. An empty field is NULL.
func csvRows(r io.Reader, columns map[string]string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		in := csv.NewReader(r)
		in.ReuseRecord = true
		header, err := in.Read()
		if err != nil {
			yield(nil, err)
			return
		}
		names := append([]string(nil), header...)
		for {
			record, err := in.Read()
			if err == io.EOF {
				return
			}
			made := make(row, len(names))
			for i := 0; err == nil && i < len(record); i++ {
				if record[i] == "" {
					continue
				}
				if made[names[i]], err = value(record[i], columns[strings.ToLower(names[i])]); err != nil {
					line, _ := in.FieldPos(i)
					err = fmt.Errorf("line %d, column %s: %w", line, names[i], err)
				}
			}
			if !yield(made, err) || err != nil {
				return
			}
		}
	}
}

// value converts a text to a value for a column of a type. Package bulk accepts texts for the
// other types.
func value(text, typ string) (any, error) {
	var v any
	var err error
	switch typ {
	case "INT64":
		v, err = strconv.ParseInt(text, 10, 64)
	case "FLOAT64":
		v, err = strconv.ParseFloat(text, 64)
	case "BOOL":
		v, err = strconv.ParseBool(strings.ToLower(text))
	case "BYTES":
		v, err = base64.StdEncoding.DecodeString(text)
	default:
		return text, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%q is no %s", text, typ)
	}
	return v, nil
}

// jsonRows reads one object after the other.
func jsonRows(r io.Reader, columns map[string]string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		in := json.NewDecoder(r)
		in.UseNumber()
		for {
			var made row
			err := in.Decode(&made)
			if err == io.EOF {
				return
			}
			if err != nil {
				err = fmt.Errorf("after byte %d: %w", in.InputOffset(), err)
			}
			for name, v := range made {
				if err != nil {
					break
				}
				if made[name], err = jsonValue(v, columns[strings.ToLower(name)]); err != nil {
					err = fmt.Errorf("byte %d, column %s: %w", in.InputOffset(), name, err)
				}
			}
			if !yield(made, err) || err != nil {
				return
			}
		}
	}
}

// jsonValue converts a JSON value to one for a column of a type. Numbers stay as they are written.
func jsonValue(v any, typ string) (any, error) {
	if typ == "JSON" && v != nil {
		text, err := json.Marshal(v)
		return string(text), err
	}
	if text, ok := v.(string); ok && typ == "BYTES" {
		return value(text, typ)
	}
	return v, nil
}

// guessRows is the number of rows that guess reads.
const guessRows = 1000

// guess returns the columns of a table for the file, with types guessed from its first rows.
// Without names the columns are in alphabetical order.
func (l *loading) guess(r io.Reader, names []string) (string, error) {
	types := map[string]string{}
	n := 0
	for made, err := range l.rows(r, nil) {
		if err != nil {
			return "", err
		}
		for name, v := range made {
			typ, err := typeOf(v)
			if err != nil {
				return "", fmt.Errorf("column %s: %w", name, err)
			}
			types[name] = wider(types[name], typ)
		}
		if n++; n == guessRows {
			break
		}
	}
	if n == 0 {
		return "", errors.New("the file has no rows")
	}
	if names == nil {
		names = slices.Sorted(maps.Keys(types))
	}
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = quoted(name) + " " + cmp.Or(types[name], "STRING")
	}
	return strings.Join(parts, ", "), nil
}

// wider returns the type that holds the values of both; "" is the type of NULL.
func wider(a, b string) string {
	if a == b || a == "" || b == "" {
		return cmp.Or(a, b)
	}
	if (a == "INT64" || a == "FLOAT64") && (b == "INT64" || b == "FLOAT64") {
		return "FLOAT64"
	}
	return "STRING"
}

// typeOf guesses the type of a value.
func typeOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		for _, typ := range []string{"INT64", "FLOAT64", "BOOL"} {
			if _, err := value(v, typ); err == nil {
				return typ, nil
			}
		}
		if _, err := time.Parse(time.DateOnly, v); err == nil {
			return "DATE", nil
		}
		return "STRING", nil
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "INT64", nil
		}
		return "FLOAT64", nil
	case bool:
		return "BOOL", nil
	}
	return "", errors.New("nested values need a table")
}
