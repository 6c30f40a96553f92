package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"
	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

var campaignTime = flag.Duration("campaign-time", 2*time.Second, "how long TestCampaignUsers runs")

// TestCampaignUsers: 64 goroutines share one database while one request in twenty meets a passing fault. No call
// returns an error, each INSERT takes effect once, and each result has its own rows.
func TestCampaignUsers(t *testing.T) {
	skipOverHTTP2(t)
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP2=", http2), func(t *testing.T) {
			t.Parallel()
			if http2 && untrusted != nil {
				t.Skipf("the system does not trust the certificate of the fakes: %v", untrusted)
			}
			shareDatabase(t, http2)
		})
	}
}

func shareDatabase(t *testing.T, http2 bool) {
	server := fakebq.Run(t, fakebq.Options{HTTP2: http2})
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		var n int
		if _, err := fmt.Sscanf(st.SQL, "SELECT %d", &n); err == nil {
			return one("f0_", n), true
		}
		return fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: len(st.SQL) % 2}, strings.HasPrefix(st.SQL,
			"INSERT")
	})
	proxy := faultproxy.Run(t, server.URL())
	rng := rand.New(rand.NewPCG(*campaignSeed, 0))
	passing := campaignFaults(fakebq.Get)
	var met atomic.Int64
	proxy.Choose(func(faultproxy.Exchange) faultproxy.Fault {
		if rng.IntN(20) > 0 {
			return faultproxy.Fault{}
		}
		met.Add(1)
		f := passing[rng.IntN(len(passing))].Fault
		if http2 && f.EndsConnection() && rng.IntN(8) > 0 { // all users share it
			return faultproxy.Fault{Kind: faultproxy.ResetStream, Code: h2.ErrCodeInternal, At: f.At}
		}
		return f
	})
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Endpoint: proxy.URL()},
		driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})))
	if err != nil {
		t.Fatal(err)
	}
	driver.PauseWith(connector, func(limit time.Duration) time.Duration { return limit / 50 })
	db := sql.OpenDB(connector)
	ctx, cancel := context.WithTimeout(t.Context(), *campaignTime)
	defer cancel()
	var number atomic.Int64
	var users sync.WaitGroup
	for range 64 {
		users.Go(func() {
			for ctx.Err() == nil {
				n := number.Add(1)
				if n%3 > 0 {
					insertOnce(t, server, db, fmt.Sprintf("INSERT INTO t VALUES (%d)", n))
					continue
				}
				var got int64
				err := db.QueryRowContext(t.Context(), fmt.Sprint("SELECT ", n)).Scan(&got)
				if err != nil || got != n {
					t.Errorf("SELECT %d: got %d, %v", n, got, err)
				}
			}
		})
	}
	users.Wait()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d statements, %d faults", number.Load(), met.Load())
}

func insertOnce(t *testing.T, server *fakebq.Server, db *sql.DB, text string) {
	result, err := db.ExecContext(t.Context(), text)
	var n int64
	if err == nil {
		n, err = result.RowsAffected()
	}
	done := server.Succeeded(text)
	if err != nil || n != 1 || done != 1 {
		t.Errorf("%s: got %d rows affected, %v, done %d times (unknown: %t); want 1 and once", text, n, err, done,
			errors.Is(err, driver.ErrOutcomeUnknown))
	}
}
