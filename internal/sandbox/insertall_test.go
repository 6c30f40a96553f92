package sandbox

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// streamed is a row of the official Inserter.
type streamed struct {
	I   int64
	F   bigquery.NullFloat64
	B   bool
	S   string
	Y   []byte
	N   *big.Rat
	D   civil.Date
	T   civil.Time
	Dt  civil.DateTime
	Ts  time.Time
	J   string `bigquery:"j"`
	L   []int64
	R   struct{ A int64 }
	Def bigquery.NullString
}

func TestInserter(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{now: time.Now()}
	s := start(t, Config{NoData: true, Open: true, Now: clock.Now})
	exec(t, s, "CREATE SCHEMA d", `CREATE TABLE d.t (i INT64 NOT NULL, f FLOAT64, b BOOL, s STRING, y BYTES, n NUMERIC,
		d DATE, t TIME, dt DATETIME, ts TIMESTAMP, j JSON, l ARRAY<INT64>, r STRUCT<a INT64>, def STRING DEFAULT 'x')`)
	c, err := bigquery.NewClient(t.Context(), DefaultProject, storageRESTOptions(t, s)...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	at := time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)
	row := streamed{I: 1, B: true, S: "é", Y: []byte{1}, N: big.NewRat(3, 2), D: civil.DateOf(at), T: civil.TimeOf(at),
		Dt: civil.DateTimeOf(at), Ts: at, J: `{"a": 1}`, L: []int64{1}}
	row.R.A = 7
	schema, err := bigquery.InferSchema(row)
	if err != nil {
		t.Fatal(err)
	}
	schema[10].Type = bigquery.JSONFieldType
	in := c.Dataset("d").Table("t").Inserter()
	saver := &bigquery.StructSaver{Struct: row, Schema: schema, InsertID: "one"}
	for range 2 { // the second is the first again
		if err := in.Put(t.Context(), saver); err != nil {
			t.Fatal(err)
		}
	}
	const want = `{"i":1,"f":null,"b":true,"s":"é","y":"AQ==","n":"1.5","d":"2024-02-29","t":"01:02:03.000004",` +
		`"dt":"2024-02-29T01:02:03.000004","ts":"2024-02-29T01:02:03.000004Z","j":{"a":1},"l":[1],"r":{"a":7},"def":null}`
	if got := values(t, s, "SELECT TO_JSON_STRING(t) FROM d.t AS t"); got != "["+want+"]" {
		t.Errorf("got\n%s; want\n%s", got, want)
	}
	clock.add(2 * time.Minute) // the id is forgotten
	if err := in.Put(t.Context(), saver); err != nil || count(t, s, "d.t") != 2 {
		t.Errorf("after two minutes: got %v, %d rows; want 2", err, count(t, s, "d.t"))
	}
}

func TestInsertAll(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d",
		"CREATE TABLE d.t (i INT64 NOT NULL, s STRING(2) DEFAULT 'no', r STRUCT<a INT64>, l ARRAY<DATE>)")
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	type row = map[string]bq.JsonValue
	for _, tt := range []struct {
		name string
		req  bq.TableDataInsertAllRequest
		rows []row
		want string // the rows of the table
		errs string
	}{
		{"a default", bq.TableDataInsertAllRequest{}, []row{{"I": 1}}, `[1 no [] []]`, ""},
		{"a number as text", bq.TableDataInsertAllRequest{}, []row{{"i": "1", "s": 5, "r": row{"A": 2.0}}}, `[1 5 [2] []]`,
			""},
		{"one is wrong", bq.TableDataInsertAllRequest{}, []row{{"i": 1}, {"i": "x"}}, "",
			"1 invalid i Could not convert value to integer. Field: i; Value: x|0 stopped  "},
		{"one is skipped", bq.TableDataInsertAllRequest{SkipInvalidRows: true}, []row{{"i": 1}, {"i": 2.5}, {"i": 3}},
			"[1 no [] []] [3 no [] []]", "1 invalid i Could not convert value to integer. Field: i; Value: 2.5"},
		{"unknown", bq.TableDataInsertAllRequest{}, []row{{"i": 1, "r": row{"b": 1}}}, "",
			"0 invalid r.b No such field: r.b."},
		{"unknown is ignored", bq.TableDataInsertAllRequest{IgnoreUnknownValues: true}, []row{{"i": 1, "r": row{"b": 1},
			"x": 1}},
			"[1 no [<nil>] []]", ""},
		{"REQUIRED", bq.TableDataInsertAllRequest{}, []row{{"s": "a"}}, "", "0 invalid i Missing required field: i."},
		{"a long text", bq.TableDataInsertAllRequest{}, []row{{"i": 1, "s": "abc"}}, "",
			"0 invalid s Value is too long: STRING(2) has a maximum length of 2. Field: s"},
		{"no record", bq.TableDataInsertAllRequest{}, []row{{"i": 1, "r": 1}}, "",
			"0 invalid r This field: r is not a record."},
		{"no array", bq.TableDataInsertAllRequest{}, []row{{"i": 1, "l": "2024-01-01"}}, "",
			"0 invalid l Repeated field must be imported as a JSON array. Field: l."},
		{"an array", bq.TableDataInsertAllRequest{}, []row{{"i": []int{1}}}, "",
			"0 invalid i Array specified for non-repeated field: i."},
	} {
		exec(t, s, "TRUNCATE TABLE d.t")
		for _, r := range tt.rows {
			tt.req.Rows = append(tt.req.Rows, &bq.TableDataInsertAllRequestRows{Json: r})
		}
		resp, err := svc.Tabledata.InsertAll(DefaultProject, "d", "t", &tt.req).Context(t.Context()).Do()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var errs []string
		for _, e := range resp.InsertErrors {
			errs = append(errs, fmt.Sprint(e.Index, " ", e.Errors[0].Reason, " ", e.Errors[0].Location, " ",
				e.Errors[0].Message))
		}
		if got := strings.Join(errs, "|"); got != tt.errs {
			t.Errorf("%s: got errors %q; want %q", tt.name, got, tt.errs)
		}
		got := values(t, s, "SELECT i, s, IF(r IS NULL, [], [IFNULL(CAST(r.a AS STRING), '<nil>')]), l FROM d.t ORDER BY i")
		if got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
	for table, want := range map[string]int{"nosuch": 404, "t": 400} {
		_, err := svc.Tabledata.InsertAll(DefaultProject, "d", table,
			&bq.TableDataInsertAllRequest{}).Context(t.Context()).Do()
		var api *googleapi.Error
		if !errors.As(err, &api) || api.Code != want {
			t.Errorf("%s: got %v; want %d", table, err, want)
		}
	}
}
