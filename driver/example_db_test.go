package driver_test

import (
	"database/sql"
	"log"
	"strings"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// exampleDB stands for a database of your own, opened with sql.Open. What it answers is
// scripted here.
func exampleDB(opts ...driver.Option) *sql.DB {
	server := fakebq.New(fakebq.Options{})
	url, err := server.Start()
	if err != nil {
		log.Fatal(err)
	}
	for _, script := range []map[string][]fakebq.Answer{exampleAnswers(), optionAnswers()} {
		for text, answers := range script {
			server.On(text, answers...)
		}
	}
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		if strings.HasSuffix(st.SQL, "@city IS NULL OR city = @city") {
			a := fakebq.Answer{Fields: []fakebq.Field{{Name: "id", Type: "INTEGER"}}, Rows: [][]any{{7}, {8}}}
			if st.DryRun {
				a.Reject = &fakebq.Error{
					Reason:  "invalidQuery",
					Message: "Undeclared parameter 'city' is used assuming different types (INT64 vs STRING) at [1:45]",
				}
			}
			return a, true
		}
		known := strings.HasPrefix(st.SQL, "UPDATE accounts SET balance = balance ")
		return fakebq.Answer{DML: &fakebq.DML{Updated: 1}}, known
	})
	cfg := &dsn.Config{Project: "my-project", Dataset: "shop", Auth: "none", Endpoint: url}
	connector, err := driver.NewConnector(cfg, opts...)
	if err != nil {
		log.Fatal(err)
	}
	return sql.OpenDB(exampleConnector{connector, server})
}

// exampleConnector ends the server with the database.
type exampleConnector struct {
	*driver.Connector
	server *fakebq.Server
}

func (c exampleConnector) Close() error {
	err := c.Connector.Close()
	c.server.Close()
	return err
}

func exampleAnswers() map[string][]fakebq.Answer {
	column := func(name, typ string, values ...any) fakebq.Answer {
		a := fakebq.Answer{Fields: []fakebq.Field{{Name: name, Type: typ}}}
		for _, v := range values {
			a.Rows = append(a.Rows, []any{v})
		}
		return a
	}
	takes := func(a fakebq.Answer, types ...string) fakebq.Answer {
		for _, typ := range types {
			name, typ, named := strings.Cut(typ, " ")
			if !named {
				name, typ = "", name
			}
			a.Parameters = append(a.Parameters, fakebq.Parameter{Name: name, Type: &bq.QueryParameterType{Type: typ}})
		}
		return a
	}
	done := func(kind string) fakebq.Answer { return fakebq.Answer{StatementType: kind} }
	items := column("item", "STRING", "cup", "tea")
	items.Bytes, items.Billed = 52, 10<<20
	users := column("f0_", "INTEGER", 42)
	users.Incomplete = 2
	users.Running = &bq.JobStatistics2{
		TotalBytesProcessed: 7e6,
		QueryPlan:           []*bq.ExplainQueryStage{{Status: "COMPLETE"}, {Status: "RUNNING"}},
	}
	endless := column("f0_", "INTEGER", 0)
	endless.Until = make(chan struct{})
	return map[string][]fakebq.Answer{
		"SELECT name, n FROM t": {numbers},
		"INSERT INTO orders (id, day, item) VALUES (?, ?, ?)": {
			takes(fakebq.Answer{DML: &fakebq.DML{Inserted: 1}}, "INT64", "DATE", "STRING"),
		},
		"SELECT COUNT(*) FROM orders WHERE day <= @day AND (shipped IS NULL OR shipped > @day)": {
			takes(column("f0_", "INTEGER", 3), "day DATE"),
		},

		"UPDATE orders SET shipped = ? WHERE id = ?": {takes(fakebq.Answer{DML: &fakebq.DML{Updated: 1}}, "DATE", "INT64")},
		"SELECT shipped, note, price FROM orders WHERE id = ?": {{
			Fields: []fakebq.Field{
				{Name: "shipped", Type: "DATE"},
				{Name: "note", Type: "STRING"},
				{Name: "price", Type: "NUMERIC"},
			},
			Rows: [][]any{{nil, nil, nil}},
		}},

		"INSERT INTO baskets (tags, lines) VALUES (?, ?)": {{DML: &fakebq.DML{Inserted: 1}}},
		"SELECT tags, lines FROM baskets": {{
			Fields: []fakebq.Field{
				{Name: "tags", Type: "STRING", Mode: "REPEATED"},
				{Name: "lines", Type: "RECORD", Mode: "REPEATED", Fields: []fakebq.Field{
					{Name: "item", Type: "STRING"},
					{Name: "unit_price", Type: "FLOAT"},
				}},
			},
			Rows: [][]any{{[]any{"new", "gift"}, []any{[]any{"tea", 3.5}, []any{"cup", 12.0}}}},
		}},

		"SELECT id,\n  prize\nFROM orders": {{
			Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Unrecognized name: prize; Did you mean price? at [2:3]"},
		}},

		"BEGIN TRANSACTION":    {done("BEGIN_TRANSACTION")},
		"ROLLBACK TRANSACTION": {done("ROLLBACK_TRANSACTION")},
		"COMMIT TRANSACTION": {
			{Err: &fakebq.Error{
				Reason: "invalidQuery",
				Message: "Transaction is aborted due to concurrent update against table my-project:shop.accounts. " +
					"Transaction ID: 1",
			}},
			done("COMMIT_TRANSACTION"),
		},

		"DECLARE last DATE DEFAULT '2026-03-01'; " +
			"SELECT COUNT(*) FROM orders WHERE day = last; " +
			"SELECT item FROM orders ORDER BY item": {
			{Children: []fakebq.Answer{column("f0_", "INTEGER", 2), items}},
		},

		"SELECT doc FROM orders": {column("doc", "JSON", `{"id": 7, "tags": ["new", "paid"]}`)},

		"INSERT INTO orders (id, city) SELECT id, city FROM UNNEST(?)": {{DML: &fakebq.DML{Inserted: 2}}},

		"SELECT * FROM events WHERE day >= ?": {
			takes(fakebq.Answer{Fields: items.Fields, Bytes: 12_300_000_000}, "DATE"),
		},
		"SELECT COUNT(*) FROM events AS a CROSS JOIN events AS b": {endless},
		"SELECT item FROM orders":                                 {items},
		"SELECT COUNT(DISTINCT user) FROM events":                 {users},
	}
}

// optionAnswers are those of the Examples of options and errors.
func optionAnswers() map[string][]fakebq.Answer {
	text := func(name, typ string, rows ...any) fakebq.Answer {
		a := fakebq.Answer{Fields: []fakebq.Field{{Name: name, Type: typ}}}
		for _, v := range rows {
			a.Rows = append(a.Rows, []any{v})
		}
		return a
	}
	large := text("id", "INTEGER")
	large.Bytes, large.Billed = 2e9, 2e9
	stay := text("stay", "RANGE", "[2026-03-05, 2026-03-08)")
	stay.Fields[0].Element = "DATE"
	lost := fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Until: make(chan struct{})}
	return map[string][]fakebq.Answer{
		"SELECT COUNT(*) FROM orders":                             {text("f0_", "INTEGER", 3)},
		"SELECT * FROM clicks":                                    {large},
		"SELECT item FROM reports.items ORDER BY item":            {text("item", "STRING", "cup", "tea")},
		"SELECT stay FROM bookings WHERE RANGE_OVERLAPS(stay, ?)": {stay},
		"SELECT SESSION_USER()":                                   {text("f0_", "STRING", "ada@example.com")},
		"INSERT INTO orders (id) SELECT MAX(id) + 1 FROM orders":  {lost},
		"SELECT id FROM no_such_table": {{Reject: &fakebq.Error{
			Reason: "notFound", Message: "Not found: Table my-project:shop.no_such_table was not found in location US",
		}}},
	}
}
