package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// shape is a kind of table. Its rows differ from each other, as those of a real one do.
type shape struct {
	name string
	// base is the number of different rows of the table, more than fit a page of 10 MB. A
	// larger result repeats them.
	base   int
	fields []fakebq.Field
	row    func(i int) []any
}

var shapes = []shape{
	{
		"narrow", 200_000, []fakebq.Field{{Name: "id", Type: "INTEGER"}, {Name: "name", Type: "STRING"}},
		func(i int) []any { return []any{i * 7919, word(i)} },
	},
	{"wide", 20_000, wideFields(), wideRow},
	{"nested", 50_000, []fakebq.Field{
		{Name: "tags", Type: "INTEGER", Mode: "REPEATED"},
		{Name: "customer", Type: "RECORD", Fields: []fakebq.Field{
			{Name: "id", Type: "INTEGER"},
			{Name: "name", Type: "STRING"},
		}},
		{Name: "lines", Type: "RECORD", Mode: "REPEATED", Fields: []fakebq.Field{
			{Name: "product", Type: "STRING"},
			{Name: "amount", Type: "FLOAT"},
		}},
	}, func(i int) []any {
		return []any{
			[]any{i, i + 1, i + 2},
			[]any{i * 31, word(i)},
			[]any{[]any{word(i + 1), float64(i) / 7}, []any{word(i + 2), float64(i) / 11}},
		}
	}},
}

func shapeNamed(name string) (shape, error) {
	for _, s := range shapes {
		if s.name == name {
			return s, nil
		}
	}
	return shape{}, fmt.Errorf("no shape %q", name)
}

// wideTypes are the types of the 20 columns of a wide row.
var wideTypes = strings.Fields(`
	INTEGER STRING FLOAT TIMESTAMP
	INTEGER STRING FLOAT DATE
	INTEGER STRING FLOAT DATETIME
	INTEGER STRING NUMERIC TIMESTAMP
	BOOLEAN STRING NUMERIC BYTES`)

func wideFields() []fakebq.Field {
	fields := make([]fakebq.Field, len(wideTypes))
	for i, typ := range wideTypes {
		fields[i] = fakebq.Field{Name: fmt.Sprintf("c%02d", i), Type: typ}
	}
	return fields
}

func wideRow(i int) []any {
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 1234567 * time.Microsecond)
	row := make([]any, len(wideTypes))
	for c, typ := range wideTypes {
		n := i*(c+1)*7919 + c
		switch typ {
		case "INTEGER":
			row[c] = n
		case "STRING":
			row[c] = word(n)
		case "FLOAT":
			row[c] = float64(n) / 13
		case "NUMERIC":
			row[c] = fmt.Sprintf("%d.%02d", n, 1+i%98)
		case "BOOLEAN":
			row[c] = n%2 == 0
		case "BYTES":
			row[c] = []byte(word(n))
		default:
			row[c] = at
		}
	}
	return row
}

// word returns a text of 8 to 23 bytes.
func word(i int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	var b strings.Builder
	for j := range 8 + i%16 {
		b.WriteByte(letters[(i/(j+1)+7*j)%26])
	}
	return b.String()
}
