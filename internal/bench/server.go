package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// project is the project that the readers bill.
const project = "bench-project"

// addresses are the addresses of the server.
type addresses struct {
	REST    string // base URL of the REST API
	Storage string // URL of the Storage Read API
	Control string // URL that counts the requests
}

// statement returns the query for a number of rows of a shape. It is not ordered, because an
// ordered result would be read over one stream.
func statement(s shape, rows int) string {
	return fmt.Sprintf("SELECT * FROM bench.%s_%d", s.name, rows)
}

// destination returns the table with the result of the statement.
func destination(s shape, rows int) string {
	return fmt.Sprintf("%s.bench.result_%s_%d", project, s.name, rows)
}

func parseStatement(sql string) (s shape, rows int, ok bool) {
	name, count, _ := strings.Cut(strings.TrimPrefix(sql, "SELECT * FROM bench."), "_")
	rows, err := strconv.Atoi(count)
	if err != nil {
		return s, 0, false
	}
	s, err = shapeNamed(name)
	return s, rows, err == nil && rows > 0
}

// copies returns how often a table of at most s.base different rows is sent for a result of this
// size. A size that is not a multiple has its own table.
func copies(s shape, rows int) int {
	least := (rows + s.base - 1) / s.base
	for n := least; n <= 4*least; n++ {
		if rows%n == 0 {
			return n
		}
	}
	return 1
}

// newServer returns a BigQuery with the tables. A table is rendered once, at its first
// use.
func newServer(latency time.Duration) (*fakebq.Server, addresses, error) {
	var mu sync.Mutex
	tables := map[string]*fakebq.Table{}
	table := func(s shape, rows int) (*fakebq.Table, error) {
		mu.Lock()
		defer mu.Unlock()
		key := fmt.Sprint(s.name, rows)
		if tables[key] == nil {
			t, err := fakebq.NewTable(s.fields, rows, s.row)
			if err != nil {
				return nil, err
			}
			tables[key] = t
		}
		return tables[key], nil
	}
	server := fakebq.New(fakebq.Options{NoGzip: true, Latency: latency})
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		if strings.HasPrefix(st.SQL, "INSERT") {
			return fakebq.Answer{DML: &fakebq.DML{Inserted: 1}}, true
		}
		s, rows, ok := parseStatement(st.SQL)
		if !ok {
			return fakebq.Answer{}, false
		}
		n := copies(s, rows)
		t, err := table(s, rows/n)
		if err != nil {
			return fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: err.Error()}}, true
		}
		return fakebq.Answer{Table: t, Repeat: n, Destination: destination(s, rows), Bytes: 1}, true
	})
	for _, s := range shapes[:2] {
		server.CountTable(project+".bench."+appendTable(s), appendFields(s)...)
	}
	url, err := server.Start()
	if err != nil {
		return nil, addresses{}, err
	}
	return server, addresses{REST: url, Storage: server.StorageURL()}, nil
}

// serve is the server process: it prints its addresses and runs until its input ends.
func serve(out io.Writer, in io.Reader, latency time.Duration) error {
	server, at, err := newServer(latency)
	if err != nil {
		return err
	}
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	at.Control = "http://" + l.Addr().String()
	var inserts atomic.Int64
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/insertAll") { // which fakebq does not serve
			inserts.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, `{"kind":"bigquery#tableDataInsertAllResponse"}`)
			return
		}
		counts := server.Counts()
		counts["tabledata.insertAll"] = int(inserts.Load())
		_ = json.NewEncoder(w).Encode(counts)
	}))
	if err := json.NewEncoder(out).Encode(at); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// startServer starts the server in a separate process, so that its work and memory do not count
// as the reader's. stop ends it.
func startServer(latency time.Duration) (at addresses, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return at, nil, err
	}
	cmd := exec.Command(self, "-serve", "-latency", latency.String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return at, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return at, nil, err
	}
	if err := cmd.Start(); err != nil {
		return at, nil, err
	}
	stop = func() { in.Close(); _ = cmd.Wait() }
	if err := json.NewDecoder(out).Decode(&at); err != nil {
		stop()
		return at, nil, fmt.Errorf("the server does not say where it listens: %w", err)
	}
	return at, stop, nil
}

// requests returns the number of requests that the server has received, by
// method.
func requests(at addresses) (map[string]int, error) {
	resp, err := http.Get(at.Control)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	counts := map[string]int{}
	return counts, json.NewDecoder(resp.Body).Decode(&counts)
}

// since returns the number of requests between two counts.
func since(before, after map[string]int) int {
	n := 0
	for method := range maps.Keys(after) {
		n += after[method] - before[method]
	}
	return n
}
