package load

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/cells"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Parquet reads a Parquet file with a separate DuckDB, because the sandbox's own never
// reads files.
func Parquet(ctx context.Context, data []byte, o Options) (*Rows, error) {
	file, err := os.CreateTemp("", "load*.parquet")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	db, err := engine.Open(engine.Config{MemoryLimit: "1GB"})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	conn, err := db.Conn()
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	from := "read_parquet(" + engine.Literal(file.Name()) + ")"
	columns, items, err := Describe(ctx, conn, from)
	if err != nil {
		return nil, problemf("", "Error while reading data, error message: Failed to read the Parquet data: %v", err)
	}
	res, err := conn.Query(ctx, "SELECT "+strings.Join(items, ", ")+" FROM "+from, nil, columns, 0)
	if err != nil {
		return nil, problemf("", "Error while reading data, error message: %v", err)
	}
	return fromFile(res, columns, o)
}

// fromFile converts the columns of a file to those of a table.
func fromFile(res *engine.Result, found []googlesql.Column, o Options) (*Rows, error) {
	out := &Rows{Columns: o.Columns}
	if out.Columns == nil {
		out.Columns = found
	}
	places := make([]int, len(out.Columns))
	for i, c := range out.Columns {
		places[i] = slices.IndexFunc(found, func(f googlesql.Column) bool { return strings.EqualFold(f.Name, c.Name) })
		if k := places[i]; k >= 0 && bare(found[k].Type) != bare(c.Type) {
			return nil, problemf("", "Error while reading data, error message: Parquet column '%s' has type %s which "+
				"does not match the target cpp_type %s.", c.Name, found[k].Type, c.Type)
		}
	}
	for _, f := range found {
		known := func(c googlesql.Column) bool { return strings.EqualFold(f.Name, c.Name) }
		if !o.IgnoreUnknownValues && !slices.ContainsFunc(out.Columns, known) {
			return nil, problemf("", "Provided Schema does not match Table. Cannot add fields (field: %s)", f.Name)
		}
	}
	for _, b := range res.Blocks {
		for r := range b.Rows {
			row := make([]engine.Value, len(places))
			for i, k := range places {
				c := out.Columns[i]
				if k >= 0 {
					row[i] = b.Columns[k].Value(r)
					row[i].Type = c.Type
				} else if c.Default == "" {
					row[i] = null(c.Type)
				}
				if err := cells.Fit(c, &row[i]); err != nil {
					return nil, problemf("", "Error while reading data, error message: %v", err)
				}
			}
			out.Values = append(out.Values, row)
		}
	}
	return out, nil
}

var parameters = regexp.MustCompile(`\([\d, ]+\)`)

// bare returns a type without its parameters.
func bare(t googlesql.Type) string { return parameters.ReplaceAllString(t.String(), "") }

// Describe returns the columns that DuckDB finds in a file, and the expression that reads
// each.
func Describe(ctx context.Context, conn *engine.Conn, from string) ([]googlesql.Column, []string, error) {
	text := googlesql.Type{Kind: googlesql.String}
	res, err := conn.Query(ctx, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+from+")", nil,
		[]googlesql.Column{{Name: "column_name", Type: text}, {Name: "column_type", Type: text}}, 0)
	if err != nil {
		return nil, nil, err
	}
	var columns []googlesql.Column
	var items []string
	for _, block := range res.Blocks {
		for i := range block.Rows {
			name, duck := string(block.Columns[0].Bytes(i)), string(block.Columns[1].Bytes(i))
			typ, ok := typeOf(duck)
			if !ok {
				return nil, nil, fmt.Errorf("column %s has the type %s, which the sandbox does not load", name, duck)
			}
			if !fieldName.MatchString(name) {
				return nil, nil, fmt.Errorf("column %q has a name that the sandbox does not load", name)
			}
			columns = append(columns, googlesql.Column{Name: name, Type: typ})
			item := fmt.Sprintf("CAST(%s AS %s)", engine.Quote(name), typ.DuckDB())
			if typ.Kind == googlesql.Array {
				item = "coalesce(" + item + ", [])"
			}
			items = append(items, item+" AS "+engine.Quote(name))
		}
	}
	return columns, items, nil
}

var (
	fieldName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,299}$`)
	decimalType = regexp.MustCompile(`^DECIMAL\((\d+),(\d+)\)$`)
	memberText  = regexp.MustCompile(`^(?:"([^"]+)"|([^ "]+)) (.+)$`)
)

// kinds maps the types of a file to GoogleSQL's.
var kinds = map[string]googlesql.Kind{
	"TINYINT": googlesql.Int64, "SMALLINT": googlesql.Int64, "INTEGER": googlesql.Int64, "BIGINT": googlesql.Int64,
	"UTINYINT": googlesql.Int64, "USMALLINT": googlesql.Int64, "UINTEGER": googlesql.Int64,
	"FLOAT": googlesql.Float64, "DOUBLE": googlesql.Float64, "BOOLEAN": googlesql.Bool, "VARCHAR": googlesql.String,
	"BLOB": googlesql.Bytes, "DATE": googlesql.Date, "TIME": googlesql.Time, "TIMESTAMP": googlesql.Datetime,
	"TIMESTAMP WITH TIME ZONE": googlesql.Timestamp, "JSON": googlesql.JSON,
}

// typeOf returns GoogleSQL's type for one of DuckDB's.
func typeOf(duck string) (googlesql.Type, bool) {
	if m := decimalType.FindStringSubmatch(duck); m != nil {
		width, _ := strconv.Atoi(m[1]) // digits
		scale, _ := strconv.Atoi(m[2])
		return googlesql.Type{Kind: googlesql.Numeric}, scale <= 9 && width-scale <= 29
	}
	if elem, ok := strings.CutSuffix(duck, "[]"); ok {
		t, ok := typeOf(elem)
		return googlesql.Type{Kind: googlesql.Array, Elem: &t}, ok && t.Kind != googlesql.Array
	}
	if list, ok := strings.CutPrefix(duck, "STRUCT("); ok {
		t := googlesql.Type{Kind: googlesql.Struct}
		for _, text := range members(strings.TrimSuffix(list, ")")) {
			m := memberText.FindStringSubmatch(text)
			if m == nil {
				return t, false
			}
			of, ok := typeOf(m[3])
			if name := m[1] + m[2]; !ok || !fieldName.MatchString(name) {
				return t, false
			} else {
				t.Fields = append(t.Fields, googlesql.Field{Name: name, Type: of})
			}
		}
		return t, true
	}
	kind, ok := kinds[duck]
	return googlesql.Type{Kind: kind}, ok
}

// members splits the text between the brackets of a STRUCT.
func members(list string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range list {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out = append(out, list[from:i])
			from = i + 2
		}
	}
	return append(out, list[min(from, len(list)):])
}
