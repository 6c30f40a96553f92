package driver_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestLifeOfALabel: what a label of the connection's own is good for, and where there is none.
func TestLifeOfALabel(t *testing.T) {
	t.Parallel()
	full := map[string]string{}
	for i := range 64 {
		full["label-"+string(rune('a'+i%26))+strings.Repeat("x", i/26)] = "x"
	}
	for _, tt := range []struct {
		name   string
		change func(*dsn.Config)
		want   bool
	}{
		{"off", func(*dsn.Config) {}, false},
		{"on", func(c *dsn.Config) { c.LabelJobs = true }, true},
		{"beside the user's", func(c *dsn.Config) { c.LabelJobs, c.Labels = true, map[string]string{"team": "x"} }, true},
		{"64 labels", func(c *dsn.Config) { c.LabelJobs, c.Labels = true, full }, false},
		{"the user's own key", func(c *dsn.Config) {
			c.LabelJobs, c.Labels = true, map[string]string{"bigqueryuser": "mine"}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
			if err := runWhole(t, open(t, server, tt.change), insert); err != nil {
				t.Fatal(err)
			}
			label := sent(t, server).Labels["bigqueryuser"]
			if (label != "" && label != "mine") != tt.want {
				t.Errorf("got the label %q; want one: %t", label, tt.want)
			}
		})
	}
	t.Run("never shared with what comes after", func(t *testing.T) {
		t.Parallel()
		server := fakebq.Run(t, fakebq.Options{})
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
		db := openPausing(t, server, noPause, func(c *dsn.Config) { c.LabelJobs = true })
		db.SetMaxOpenConns(1)
		var labels []string
		for i := range 3 {
			if i == 1 {
				server.Inject(fakebq.Query, times(8, fakebq.HTML(503))...)
			}
			_, err := db.ExecContext(t.Context(), insert)
			wantTold(t, err, []outcome{done, unknown, done}[i])
			labels = append(labels, sent(t, server).Labels["bigqueryuser"])
		}
		if labels[0] != labels[1] || labels[1] == labels[2] || labels[2] == "" {
			t.Errorf("got %q; want another one after the statement that was left", labels)
		}
	})
}

// TestLifeOfTheLost: a job whose answer was lost is cancelled if it is surely the statement's, and else left.
func TestLifeOfTheLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		opts      []any
		second    bool // there is another job with the same text and label
		lists     []fakebq.Fault
		delay     time.Duration
		cancelled int
	}{
		{name: "the only one", cancelled: 1},
		{name: "listed late", delay: time.Second, cancelled: 1},
		{name: "two candidates", second: true},
		{name: "a location is unreachable", lists: []fakebq.Fault{fakebq.Garbage(`{"unreachable":["asia-east1"]}`)}},
		{name: "a location is unreachable, by job id", opts: []any{batch}, cancelled: 1,
			lists: []fakebq.Fault{fakebq.Garbage(`{"unreachable":["asia-east1"]}`)}},
		{name: "the list fails at first", cancelled: 1,
			lists: []fakebq.Fault{fail("accessDenied", ""), fakebq.HTML(http.StatusBadGateway)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{ListDelay: tt.delay})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Until: make(chan struct{})})
			hang := make(chan struct{})
			method := fakebq.Query
			if tt.opts != nil {
				method = fakebq.Insert
			}
			server.Inject(method, fakebq.HangBefore(hang).After())
			server.Inject(fakebq.List, tt.lists...)
			db := openPausing(t, server, noPause, func(c *dsn.Config) { c.LabelJobs = true })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				server.WaitFor(t, method, 1)
				cancel()
			}()
			_, err := db.ExecContext(ctx, insert, tt.opts...)
			wantTold(t, err, unknown, context.Canceled)
			if tt.second {
				sendTwin(t, server)
			}
			close(hang)
			if err := db.Close(); err != nil { // waits until it was looked for
				t.Error(err)
			}
			if got := server.Cancelled(); got != tt.cancelled {
				t.Errorf("got %d jobs cancelled; want %d", got, tt.cancelled)
			}
			lists := server.Requests(fakebq.List)
			for _, r := range lists {
				if !strings.EqualFold(r.Query.Get("projection"), "full") || r.Query.Get("fields") == "" ||
					r.Query.Get("minCreationTime") == "" || !slices.Equal(r.Query["stateFilter"], []string{"pending", "running"}) {
					t.Errorf("got the list %v", r.Query)
				}
			}
			if len(lists) == 0 {
				t.Error("it was not looked for")
			}
		})
	}
}

// sendTwin sends the last statement once more, under another id.
func sendTwin(t *testing.T, server *fakebq.Server) {
	t.Helper()
	all := server.Requests(fakebq.Query)
	last := all[len(all)-1]
	body := bytes.Replace(last.Body, []byte(sent(t, server).RequestId), []byte("another"), 1)
	body = bytes.Replace(body, []byte(`"timeoutMs":2000`), []byte(`"timeoutMs":1`), 1)
	resp, err := http.Post(server.URL()+last.Path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
