package bulk_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// TestLostUpload: a load job whose answer was lost is found, also if BigQuery does not know it everywhere yet.
func TestLostUpload(t *testing.T) {
	t.Parallel()
	unknown := fakebq.Fail(fakebq.Error{Reason: "notFound", Message: "Not found: Job"})
	for _, tt := range []struct {
		name   string
		upload fakebq.Fault
		get    []fakebq.Fault
		want   string // in the error; "" for none
	}{
		{"it is known", fakebq.Drop().After(), nil, ""},
		{"it is known after a redirect", fakebq.HTML(302).After(), nil, ""},
		{"it is known after 501", fakebq.HTML(501).After(), nil, ""},
		{"it is not known at first", fakebq.Drop().After(), []fakebq.Fault{unknown, unknown}, ""},
		{"jobs.get answers null", fakebq.Drop().After(), []fakebq.Fault{fakebq.Garbage("null")}, ""},
		{"it has not begun", fakebq.Drop(), nil, "the upload broke, and no load job has started"},
		{"the table is gone", fakebq.Fail(fakebq.Error{Reason: "notFound", Message: "Not found: Table d.t"}), nil,
			"Not found: Table d.t"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			server.Inject(fakebq.Upload, tt.upload)
			server.Inject(fakebq.Get, tt.get...)
			db, _ := open(t, server)
			_, err := bulk.Append(t.Context(), db, "t", numberedRows(10, nil), bulk.LoadJob())
			want := 10
			if tt.want != "" {
				want = 0
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
			if broke := err != nil && strings.Contains(err.Error(), "upload broke"); broke != (tt.name == "it has not begun") {
				t.Errorf("got %v", err)
			}
			if problem := inOrder(server, want); problem != "" {
				t.Error(problem)
			}
		})
	}
}

// TestUnknownUpload: where nothing says what became of a load job whose answer was lost, its outcome is unknown, and it
// is cancelled.
func TestUnknownUpload(t *testing.T) {
	t.Parallel()
	for name, get := range map[string]fakebq.Fault{
		"accessDenied": fakebq.Fail(fakebq.Error{Reason: "accessDenied"}),
		"401":          fakebq.Fail(fakebq.Error{Reason: "authError"}),
		"a redirect":   fakebq.HTML(http.StatusFound),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			server.Inject(fakebq.Upload, fakebq.Drop().After())
			server.Inject(fakebq.Get, get, get)
			db, _ := open(t, server)
			_, err := bulk.Append(t.Context(), db, "t", numberedRows(10, nil), bulk.LoadJob())
			if !errors.Is(err, driver.ErrOutcomeUnknown) || server.Count(fakebq.Cancel) == 0 {
				t.Errorf("got %v, and %d cancels; want ErrOutcomeUnknown and one", err, server.Count(fakebq.Cancel))
			}
		})
	}
}

// TestStuckUpload: an upload that the network does not take any more ends. One whose rows are slow to come does not.
func TestStuckUpload(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: that takes 20 seconds")
	}
	slow := func(yield func(numbered, error) bool) {
		for i := range 2 {
			if i > 0 {
				time.Sleep(20 * time.Second) // longer than the network may take
			}
			if !yield(numbered{i, ""}, nil) {
				return
			}
		}
	}
	for _, tt := range []struct {
		name string
		room int // bytes that the network takes
		rows func(func(numbered, error) bool)
		want string
	}{
		{"it is stuck", 50_000, numberedRows(200, nil), "the upload broke, and no load job has started"},
		{"its rows are slow", 1 << 30, slow, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			var mu sync.Mutex
			stuck := false // the network, once
			transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				mu.Lock()
				defer mu.Unlock()
				if err != nil || stuck {
					return conn, err
				}
				stuck = true
				return faultproxy.Stuck(conn, tt.room), nil
			}}
			cfg := &dsn.Config{Project: "my-project", Dataset: "d", Auth: "none", Endpoint: server.URL()}
			connector, err := driver.NewConnector(cfg, driver.WithHTTPTransport(transport))
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			defer db.Close()
			_, err = bulk.Append(t.Context(), db, "t", tt.rows, bulk.LoadJob())
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
		})
	}
}

// TestCancelUpload: the end of ctx while the rows come ends a load job that can't have begun, so that its outcome is
// known.
func TestCancelUpload(t *testing.T) {
	t.Parallel()
	server := serve(t, numberedFields()...)
	db, _ := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	rows := func(yield func(numbered, error) bool) {
		for i := 0; yield(numbered{i, strings.Repeat("x", 1000)}, nil); i++ {
			if i == 20_000 { // more than a chunk
				cancel()
			}
		}
	}
	_, err := bulk.Append(ctx, db, "t", rows, bulk.LoadJob())
	if !errors.Is(err, context.Canceled) || errors.Is(err, driver.ErrOutcomeUnknown) {
		t.Errorf("got %v; want context.Canceled alone", err)
	}
	if n := len(server.TableRows(table)); n > 0 {
		t.Errorf("got %d rows", n)
	}
}

// TestLoadLines: a row of a load job is one line, also if its JSON has line breaks.
func TestLoadLines(t *testing.T) {
	t.Parallel()
	server := serve(t, fakebq.Field{Name: "j", Type: "JSON"}, fakebq.Field{Name: "l", Type: "JSON", Mode: "REPEATED"})
	db, _ := open(t, server)
	rows := [][]any{{"{\n\t\"a b\": [1, 2.50],\r\n\t\"c\": \"<\\n>\"}\n", []string{"[\n]", " 1"}}}
	if _, err := bulk.AppendSlice(t.Context(), db, "t", rows, bulk.LoadJob()); err != nil {
		t.Fatal(err)
	}
	want := `[[{"a b":[1,2.50],"c":"<\n>"} [[] 1]]]`
	if got := fmt.Sprint(server.TableRows(table)); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}
