package driver_test

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// TestRecordedRows reads what BigQuery itself has sent, in each of the ways that answers come, and compares with a
// decoder of this test's own, which shares nothing with the driver's.
func TestRecordedRows(t *testing.T) {
	t.Parallel()
	jobs := recordedJobs(t)
	if len(jobs) < 30 {
		t.Fatalf("got %d recorded queries; want 30 at least", len(jobs))
	}
	for _, job := range jobs {
		for _, way := range []struct {
			name     string
			polled   bool
			inserted bool
		}{
			{name: "jobs.query"},
			{name: "polled", polled: true},
			{name: "jobs.insert", inserted: true},
		} {
			for _, pretty := range []bool{false, true} {
				t.Run(fmt.Sprintf("%.40q %s pretty=%t", job.SQL, way.name, pretty), func(t *testing.T) {
					t.Parallel()
					r := &replay{t: t, job: job, polled: way.polled, pretty: pretty}
					db := sql.OpenDB(recordedConnector(t, r.serve(t), way.inserted))
					defer db.Close()
					compareRecorded(t, db, r)
					if got := r.asked.Load(); (got > 0) != (way.polled || way.inserted) {
						t.Errorf("got %d requests for the result", got)
					}
				})
			}
		}
	}
}

func recordedConnector(t *testing.T, url string, inserted bool) *driver.Connector {
	t.Helper()
	cfg := &dsn.Config{Project: "my-project", Endpoint: url, Auth: "none"}
	if inserted {
		cfg.JobIDPrefix = "recorded_"
	}
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return connector
}

// recordedArgs are values of the recorded parameters, as Go programs have them.
func recordedArgs(t testing.TB, job *recordedJob) []any {
	t.Helper()
	var params []recordedParam
	if job.Params == nil {
		return nil
	}
	if err := json.Unmarshal(job.Params, &params); err != nil {
		t.Fatal(err)
	}
	var args []any
	for _, p := range params {
		var arg any = p.ParameterType.goValue(t, p.ParameterValue).Interface()
		if p.Name != "" {
			arg = sql.Named(p.Name, arg)
		}
		args = append(args, arg)
	}
	return args
}

func compareRecorded(t *testing.T, db *sql.DB, r *replay) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), r.job.SQL, recordedArgs(t, r.job)...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var schema recordedSchema
	if err := json.Unmarshal(members(t, r.job.Results)["schema"], &schema); err != nil {
		t.Fatal(err)
	}
	var want []recordedCell
	if err := json.Unmarshal(r.rows(members(t, r.job.Results)["schema"]), &want); err != nil {
		t.Fatal(err)
	}
	columns, err := rows.ColumnTypes()
	if err != nil || len(columns) != len(schema.Fields) {
		t.Fatalf("got %d columns, %v; want %d", len(columns), err, len(schema.Fields))
	}
	n := 0
	for ; rows.Next(); n++ {
		for i, f := range schema.Fields {
			if columns[i].Name() != f.Name {
				t.Errorf("column %d: got the name %q; want %q", i, columns[i].Name(), f.Name)
			}
			expected := canonical(t, f, want[n].F[i].V, f.Mode == "REPEATED")
			as := reflect.New(f.goType())
			for way, target := range map[string]any{
				"any":      new(any),
				"ScanType": reflect.New(columns[i].ScanType()).Interface(),
				"As":       driver.As(as.Interface()),
			} {
				if err := scanOne(rows, len(columns), i, target); err != nil {
					t.Errorf("row %d, %s as %s: %v", n, f.Name, way, err)
					continue
				}
				got := target
				if way == "As" {
					got = as.Interface()
				}
				if text := canonicalValue(f, reflect.ValueOf(got).Elem(), f.Mode == "REPEATED"); text != expected {
					t.Errorf("row %d, %s as %s: got %s; want %s", n, f.Name, way, text, expected)
				}
			}
		}
	}
	if rows.Err() != nil || n != len(want) {
		t.Errorf("got %d rows, %v; want %d", n, rows.Err(), len(want))
	}
}

// goType is what a program would have for a column.
func (f recordedField) goType() reflect.Type {
	typ := map[string]reflect.Type{
		"INTEGER": reflect.TypeFor[*int64](), "FLOAT": reflect.TypeFor[*float64](), "BOOLEAN": reflect.TypeFor[*bool](),
		"STRING": reflect.TypeFor[*string](), "BYTES": reflect.TypeFor[[]byte](), "NUMERIC": reflect.TypeFor[*string](),
		"TIMESTAMP": reflect.TypeFor[*time.Time](), "DATE": reflect.TypeFor[*civil.Date](),
		"TIME": reflect.TypeFor[*civil.Time](), "DATETIME": reflect.TypeFor[*civil.DateTime](),
	}[f.Type]
	if f.Type == "RECORD" {
		var fields []reflect.StructField
		for i, f := range f.Fields {
			fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: f.goType(),
				Tag: reflect.StructTag(fmt.Sprintf("bigquery:%q", f.Name))})
		}
		typ = reflect.PointerTo(reflect.StructOf(fields))
	}
	if f.Mode == "REPEATED" {
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		return reflect.SliceOf(typ)
	}
	return typ
}

// canonical decodes a cell to a text that does not depend on Go's types.
func canonical(t testing.TB, f recordedField, v json.RawMessage, repeated bool) string {
	t.Helper()
	if string(v) == "null" {
		return "NULL"
	}
	var parts []string
	if repeated {
		var list []recordedCell
		if err := json.Unmarshal(v, &list); err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			parts = append(parts, canonical(t, f, e.V, false))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	if f.Type == "RECORD" {
		var record recordedCell
		if err := json.Unmarshal(v, &record); err != nil {
			t.Fatal(err)
		}
		for i, e := range record.F {
			parts = append(parts, canonical(t, f.Fields[i], e.V, f.Fields[i].Mode == "REPEATED"))
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	var text string
	if err := json.Unmarshal(v, &text); err != nil {
		t.Fatal(err)
	}
	switch f.Type {
	case "FLOAT":
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(x)
	case "NUMERIC":
		x, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("the NUMERIC %q is no number", text)
		}
		return strconv.Quote(strings.TrimSuffix(strings.TrimRight(x.FloatString(9), "0"), "."))
	case "BYTES":
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", b)
	case "TIMESTAMP":
		micros, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(micros)
	case "DATE":
		return text + "T00:00:00.000000"
	case "DATETIME", "TIME":
		if !strings.Contains(text, ".") {
			text += ".000000"
		}
		return text
	case "STRING":
		return strconv.Quote(text)
	}
	return text // INTEGER, BOOLEAN
}

// scanOne scans one column of n.
func scanOne(rows *sql.Rows, n, i int, target any) error {
	targets := make([]any, n)
	for k := range targets {
		targets[k] = new(any)
	}
	targets[i] = target
	return rows.Scan(targets...)
}
