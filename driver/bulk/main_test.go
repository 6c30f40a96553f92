package bulk_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// observed is what an observer was told.
type observed struct {
	mu  sync.Mutex
	all []driver.Stats
}

func (o *observed) last() (s driver.Stats) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.all) > 0 {
		s = o.all[len(o.all)-1]
	}
	return s
}

// open opens a database on a fake that has the table d.t.
func open(t testing.TB, server *fakebq.Server, change ...func(*dsn.Config)) (*sql.DB, *observed) {
	t.Helper()
	cfg := &dsn.Config{
		Project: "my-project", Dataset: "d", Auth: "none", Endpoint: server.URL(), StorageEndpoint: server.StorageURL(),
	}
	for _, f := range change {
		f(cfg)
	}
	seen := &observed{}
	connector, err := driver.NewConnector(cfg, driver.WithObserver(func(_ context.Context, s driver.Stats, _ error) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		seen.all = append(seen.all, s)
	}))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, seen
}

const table = "my-project.d.t"

// serve makes a fake with the table.
func serve(t testing.TB, fields ...fakebq.Field) *fakebq.Server {
	t.Helper()
	server := fakebq.Run(t, fakebq.Options{})
	server.CreateTable(table, fields...)
	return server
}
