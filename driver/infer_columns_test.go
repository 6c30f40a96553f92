package driver_test

import (
	"database/sql"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestIntoColumns puts nil and a time.Time into columns of each type, as BigQuery says that
// they are.
func TestIntoColumns(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 23, 30, 0, 1999, time.FixedZone("", -3*3600))
	array := func(elem *bq.QueryParameterType) *bq.QueryParameterType {
		return &bq.QueryParameterType{Type: "ARRAY", ArrayType: elem}
	}
	scalar := func(name string) *bq.QueryParameterType { return &bq.QueryParameterType{Type: name} }
	record := func(elem *bq.QueryParameterType) *bq.QueryParameterType {
		return &bq.QueryParameterType{
			Type:        "STRUCT",
			StructTypes: []*bq.QueryParameterTypeStructTypes{{Name: "T", Type: elem}},
		}
	}
	type row struct{ T time.Time }
	type nullRow struct{ T *time.Time }
	for _, tt := range []struct {
		name   string
		column *bq.QueryParameterType
		in     any
		want   string
	}{
		{"nil for a DATE", scalar("DATE"), nil, "DATE NULL"},
		{"nil for a NUMERIC", scalar("NUMERIC"), nil, "NUMERIC NULL"},
		{"nil for a JSON", scalar("JSON"), nil, "JSON NULL"},
		{"nil *string for BYTES", scalar("BYTES"), (*string)(nil), "BYTES NULL"},
		{"sql.NullTime for a TIMESTAMP", scalar("TIMESTAMP"), sql.NullTime{}, "TIMESTAMP NULL"},
		{"sql.NullString for a GEOGRAPHY", scalar("GEOGRAPHY"), sql.NullString{}, "GEOGRAPHY NULL"},
		{"nil for an ARRAY", array(scalar("INT64")), nil, "ARRAY<INT64> NULL"},
		{
			"nil slice of structs for an ARRAY of STRUCTs",
			array(record(scalar("DATE"))),
			(*[]row)(nil),
			"ARRAY<STRUCT<T DATE>> NULL",
		},
		{"nil for a STRUCT", record(scalar("DATE")), nil, "STRUCT<T DATE> NULL"},
		{"nil for a RANGE", &bq.QueryParameterType{Type: "RANGE", RangeElementType: scalar("DATE")}, nil, "RANGE<DATE> NULL"},
		{"time for a DATE", scalar("DATE"), at, "DATE 2024-02-29"},
		{"pointer to a time for a DATETIME", scalar("DATETIME"), &at, "DATETIME 2024-02-29 23:30:00.000001"},
		{"time for a TIMESTAMP", scalar("TIMESTAMP"), at, "TIMESTAMP 2024-03-01 02:30:00.000001+00:00"},
		{"sql.NullTime for a TIME", scalar("TIME"), sql.NullTime{Time: at, Valid: true}, "TIME 23:30:00.000001"},
		{"time for a STRING", scalar("STRING"), at, "TIMESTAMP 2024-03-01 02:30:00.000001+00:00"},
		{"times for an ARRAY of DATEs", array(scalar("DATE")), []time.Time{at, at}, "ARRAY<DATE> [2024-02-29, 2024-02-29]"},
		{
			"pointers to times for an ARRAY of DATETIMEs",
			array(scalar("DATETIME")),
			[]*time.Time{nil, &at},
			"ARRAY<DATETIME> [NULL, 2024-02-29 23:30:00.000001]",
		},
		{"no times for an ARRAY of DATEs", array(scalar("DATE")), []time.Time{}, "ARRAY<DATE> []"},
		{"nil slice of times for an ARRAY of DATEs", array(scalar("DATE")), []time.Time(nil), "ARRAY<DATE> []"},
		{"struct for a STRUCT with a DATE", record(scalar("DATE")), row{at}, "STRUCT<T DATE> {T 2024-02-29}"},
		{
			"nil in a struct for a STRUCT with a DATETIME",
			record(scalar("DATETIME")),
			nullRow{},
			"STRUCT<T DATETIME> {T NULL}",
		},
		{
			"structs for an ARRAY of STRUCTs with a TIME",
			array(record(scalar("TIME"))),
			[]row{{at}},
			"ARRAY<STRUCT<T TIME>> [{T 23:30:00.000001}]",
		},
		{
			"nil in structs for an ARRAY of STRUCTs with a TIME",
			array(record(scalar("TIME"))),
			[]nullRow{{&at}, {}},
			"ARRAY<STRUCT<T TIME>> [{T 23:30:00.000001}, {T NULL}]",
		},
		{"Date for a DATE", scalar("DATE"), civil.DateOf(at), "DATE 2024-02-29"},
		{"int for a FLOAT64", scalar("FLOAT64"), 1, "INT64 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			insert := fakebq.Answer{
				StatementType: "INSERT",
				DML:           &fakebq.DML{Inserted: 1},
				Parameters:    []fakebq.Parameter{{Type: tt.column}},
			}
			server.On("INSERT INTO t VALUES (?)", insert)
			insert.Parameters = []fakebq.Parameter{{Name: "p", Type: tt.column}, {Name: "q", Type: scalar("STRING")}}
			server.On("INSERT INTO t VALUES (@p, @q)", insert)
			db := open(t, server)
			for text, args := range map[string][]any{
				"INSERT INTO t VALUES (?)":      {tt.in},
				"INSERT INTO t VALUES (@p, @q)": {sql.Named("q", "known"), sql.Named("p", tt.in)},
			} {
				if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
					t.Errorf("%s: %v", text, err)
				} else if got := sentArguments(t, server); got[len(got)-1] != tt.want {
					t.Errorf("%s: got %q; want %s", text, got, tt.want)
				}
			}
		})
	}
}
