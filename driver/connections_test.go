package driver_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// countConnections stands in front of a server and counts the network connections to it.
func countConnections(t *testing.T, to string) (front string, connections *atomic.Int64) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int64)
	var pumps sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		pumps.Wait()
	})
	pumps.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			out, err := net.Dial("tcp", u.Host)
			if err != nil {
				in.Close()
				continue
			}
			for _, ends := range [][2]net.Conn{{in, out}, {out, in}} {
				pumps.Go(func() {
					_, _ = io.Copy(ends[0], ends[1]) // until one of them is closed
					in.Close()
					out.Close()
				})
			}
		}
	})
	return u.Scheme + "://" + l.Addr().String(), connections
}

// TestConnections: nothing is dialled before it is needed, statements one after the other share
// a network connection, and so do all streams of all results.
func TestConnections(t *testing.T) {
	t.Parallel()
	server := bigTable(t)
	server.On("SELECT name, n FROM t", numbers)
	rest, restConnections := countConnections(t, server.URL())
	storage, storageConnections := countConnections(t, server.StorageURL())
	db := open(t, server, func(c *dsn.Config) { c.Endpoint, c.ReadAPI, c.StorageEndpoint = rest, "storage", storage })
	db.SetMaxIdleConns(0) // a Conn of its own for each statement
	expect := func(when string, wantREST, wantStorage int64) {
		t.Helper()
		if r, s := restConnections.Load(), storageConnections.Load(); r != wantREST || s != wantStorage {
			t.Errorf("%s: got %d connections to BigQuery and %d to the Storage Read API; want %d and %d",
				when, r, s, wantREST, wantStorage)
		}
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	expect("opened", 0, 0)
	for range 20 {
		if err := countRows(t.Context(), db, "SELECT name, n FROM t", 3); err != nil {
			t.Fatal(err)
		}
	}
	expect("small results", 1, 0)
	for range 3 {
		for _, query := range []string{ordered, unordered} {
			if err := countRows(t.Context(), db, query, bigRows); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect("results over Storage", 1, 1)

	// At a time there are no more than statements, and they stay for the next ones.
	const users = 8
	for range 3 {
		var all sync.WaitGroup
		for range users {
			all.Go(func() {
				if err := countRows(t.Context(), db, "SELECT name, n FROM t", 3); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	if r := restConnections.Load(); r > users+1 {
		t.Errorf("%d users: got %d connections", users, r)
	}
	if n := server.Count(fakebq.ReadRows); n < 6 {
		t.Errorf("got %d streams; want one for each result at least", n)
	}
}
