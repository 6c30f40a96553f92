package compat

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/XSAM/otelsql"
	"github.com/jmoiron/sqlx"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// openOtel opens a database whose every call is traced.
func openOtel(t testing.TB, options ...otelsql.Option) (*sql.DB, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	options = append(options, otelsql.WithTracerProvider(provider),
		otelsql.WithAttributes(attribute.String("db.system", "bigquery")))
	db := otelsql.OpenDB(connector(t), options...)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db, recorder
}

func spanNames(recorder *tracetest.SpanRecorder) []string {
	var names []string
	for _, s := range recorder.Ended() {
		names = append(names, s.Name())
	}
	return names
}

func TestOtelsqlSpans(t *testing.T) {
	t.Parallel()
	db, recorder := openOtel(t, otelsql.WithSpanOptions(otelsql.SpanOptions{Ping: true}))
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT name FROM users WHERE id = ?", 1).Scan(&name); err != nil ||
		name != "Ada" {
		t.Fatalf("got %q, %v", name, err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM users WHERE nothing"); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("a wrong statement: got %v; want ErrInvalidQuery", err)
	}
	names := spanNames(recorder)
	for _, want := range []string{
		"sql.connector.connect", "sql.conn.ping", "sql.conn.query", "sql.rows", "sql.conn.exec",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("got spans %q; want %s among them", names, want)
		}
	}
	var failed []string
	for _, s := range recorder.Ended() {
		if s.Status().Code == codes.Error {
			failed = append(failed, s.Name())
		}
	}
	if want := []string{"sql.conn.exec"}; !slices.Equal(failed, want) {
		t.Errorf("got failed spans %q; want %q", failed, want)
	}
}

// TestOtelHTTP: the requests of a program's traced transport stand under the statement's span; the driver traces none.
func TestOtelHTTP(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options []driver.Option
		want    bool
	}{
		{"the driver's transport", nil, false},
		{"otelhttp", []driver.Option{driver.WithRoundTripper(func(base http.RoundTripper) http.RoundTripper {
			return otelhttp.NewTransport(base)
		})}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			recorder := tracetest.NewSpanRecorder()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
			db := otelsql.OpenDB(connector(t, tt.options...), otelsql.WithTracerProvider(provider))
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), "DELETE FROM users WHERE false"); err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(spanNames(recorder), "HTTP POST"); got != tt.want {
				t.Errorf("got spans %q; want HTTP POST among them: %t", spanNames(recorder), tt.want)
			}
		})
	}
}

func TestOtelsqlPrepared(t *testing.T) {
	t.Parallel()
	db, recorder := openOtel(t)
	stmt, err := db.PrepareContext(t.Context(), "SELECT name FROM users WHERE joined < ? AND id IN UNNEST(?)")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var name string
	if err := stmt.QueryRowContext(t.Context(), users[1].Joined, []int64{1, 2}).Scan(&name); err != nil || name != "Ada" {
		t.Errorf("got %q, %v; want Ada", name, err)
	}
	if names := spanNames(recorder); !slices.Contains(names, "sql.conn.prepare") ||
		!slices.Contains(names, "sql.stmt.query") {
		t.Errorf("got spans %q", names)
	}
}

func TestOtelsqlTransaction(t *testing.T) {
	t.Parallel()
	db, recorder := openOtel(t)
	for want, end := range map[int]func(*sql.Tx) error{2: (*sql.Tx).Rollback, 3: (*sql.Tx).Commit} {
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSnapshot})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.ExecContext(t.Context(), "INSERT INTO users (id, name, joined) VALUES (?, ?, ?)", 3, "Edsger", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM users").Scan(&n); err != nil || n != want {
			t.Errorf("got %d rows, %v; want %d", n, err, want)
		}
		if _, err := db.ExecContext(t.Context(), "DELETE FROM users WHERE id = 3"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true}); err == nil {
		t.Error("a read-only transaction: got no error")
	}
	for _, want := range []string{"sql.conn.begin_tx", "sql.tx.commit", "sql.tx.rollback"} {
		if names := spanNames(recorder); !slices.Contains(names, want) {
			t.Errorf("got spans %q; want %s among them", names, want)
		}
	}
}

// TestOtelsqlColumns: what rows say of their columns comes through, all but the type to scan
// into, which otelsql does not pass on.
func TestOtelsqlColumns(t *testing.T) {
	t.Parallel()
	db, _ := openOtel(t)
	rows, err := db.QueryContext(t.Context(), "SELECT id, balance, tags, home FROM users WHERE id = 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range types {
		got = append(got, c.DatabaseTypeName())
	}
	if want := []string{"INT64", "NUMERIC", "ARRAY<STRING>", "STRUCT<city STRING, zip INT64>"}; !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
	if precision, scale, ok := types[1].DecimalSize(); precision != 38 || scale != 9 || !ok {
		t.Errorf("got %d, %d, %v; want 38, 9", precision, scale, ok)
	}
	var id int64
	var balance string
	var tags []string
	var where home
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	if err := rows.Scan(&id, &balance, &tags, driver.As(&where)); err != nil ||
		!reflect.DeepEqual(tags, users[0].Tags) || where != *users[0].Home {
		t.Errorf("got %q, %+v, %v", tags, where, err)
	}
}

// TestOtelsqlOwnFunctions: what this driver has beyond database/sql finds its connection under
// otelsql's.
func TestOtelsqlOwnFunctions(t *testing.T) {
	t.Parallel()
	db, _ := openOtel(t)
	if id, err := driver.Identity(t.Context(), db); err != nil || id.Account != sandbox.DefaultAccount {
		t.Errorf("Identity: got %q, %v", id.Account, err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if bytes, err := driver.Estimate(t.Context(), conn, "SELECT id FROM users WHERE id > ?", 0); err != nil ||
		bytes != 16 {
		t.Errorf("Estimate: got %d, %v; want 16", bytes, err)
	}
	var stats driver.Stats
	_, err = db.ExecContext(driver.WithStats(t.Context(), &stats), "UPDATE users SET name = 'x' WHERE TRUE")
	if err != nil || stats.JobID == "" {
		t.Errorf("WithStats: got %+v, %v", stats, err)
	}
}

// TestOtelsqlByName: by the names of drivers, as programs with sql.Open do it, and sqlx on top.
func TestOtelsqlByName(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(t)
	name, err := otelsql.Register(driver.Name)
	if err != nil {
		t.Fatal(err)
	}
	for how, open := range map[string]func() (*sqlx.DB, error){
		"Register": func() (*sqlx.DB, error) { return sqlx.Open(name, dsn) },
		"Open": func() (*sqlx.DB, error) {
			db, err := otelsql.Open(driver.Name, dsn)
			return sqlx.NewDb(db, driver.Name), err
		},
	} {
		db, err := open()
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		var got []user
		query := db.Rebind("SELECT * FROM users WHERE id >= ? ORDER BY id")
		err = db.SelectContext(context.WithoutCancel(t.Context()), &got, query, 1)
		if err != nil || !reflect.DeepEqual(got, users) {
			t.Errorf("%s: got %+v, %v", how, got, err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("%s: Close: %v", how, err)
		}
	}
}
