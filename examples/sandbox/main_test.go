package main

import (
	"bufio"
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// serve runs the program and returns the data source name that it prints.
func serve(t *testing.T, cfg sandbox.Config) string {
	t.Helper()
	cfg.StateDir = t.TempDir()
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := run(ctx, w, cfg)
		_ = w.CloseWithError(err) // never fails
		done <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "data source name: "); ok {
			return name
		}
	}
	t.Fatalf("it printed no data source name: %v", lines.Err())
	return ""
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(path, []byte("id,price\n1,9.5\n2,0.5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := serve(t, sandbox.Config{Open: true, NoData: true, Files: map[string]string{"shop.orders": path}})
	db, err := sql.Open(driver.Name, name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var sum float64
	err = db.QueryRowContext(t.Context(), "SELECT SUM(price) FROM shop.orders").Scan(&sum)
	if err != nil || sum != 10 {
		t.Errorf("got %v, %v; want 10", sum, err)
	}
	// The data source name has the Storage APIs: without them rows would go by a load job.
	result, err := bulk.AppendSlice(t.Context(), db, "shop.orders", [][]any{{3, 1.5}})
	if err != nil || result.Rows != 1 || result.JobID != "" {
		t.Errorf("got %+v, %v; want a row by the Storage Write API", result, err)
	}
}

// TestData: with -data, a second run has the tables of the first.
func TestData(t *testing.T) {
	cfg := sandbox.Config{Open: true, NoData: true, DataDir: t.TempDir()}
	for i, statement := range []string{"CREATE SCHEMA d; CREATE TABLE d.t AS SELECT 7 AS x", "SELECT 1"} {
		t.Run(statement, func(t *testing.T) {
			db, err := sql.Open(driver.Name, serve(t, cfg))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			var x int
			if err := db.QueryRowContext(t.Context(), "SELECT x FROM d.t").Scan(&x); err != nil || x != 7 {
				t.Errorf("run %d: got %d, %v; want 7", i+1, x, err)
			}
		})
	}
}

func TestSignedIn(t *testing.T) {
	cfg, err := dsn.Parse(serve(t, sandbox.Config{NoData: true}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cfg.ClientSecrets); err != nil || cfg.Auth != "" || cfg.TokenDir == "" {
		t.Errorf("got %+v, %v; want a sign-in of its own", cfg, err)
	}
}

func TestLoadFlag(t *testing.T) {
	f := files{}
	for text, ok := range map[string]bool{"d.t=x.csv": true, "d.t": false, "=x": false, "d.t=": false} {
		if err := f.Set(text); (err == nil) != ok {
			t.Errorf("%s: got %v", text, err)
		}
	}
	if f["d.t"] != "x.csv" {
		t.Errorf("got %v", f)
	}
}
