package driver_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestLifeCosts: what statements of 0.3 s to 30 s cost in requests and in time beyond their own. The manual has the
// figures.
func TestLifeCosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		takes time.Duration
		ends  bool // the context can end
		stats bool
		want  int
	}{
		{300 * time.Millisecond, true, false, 1},
		{300 * time.Millisecond, true, true, 1},
		{300 * time.Millisecond, false, false, 1},
		{time.Second, true, false, 1},
		{time.Second, true, true, 1},
		{5 * time.Second, true, false, 2},
		{5 * time.Second, true, true, 3},
		{5 * time.Second, false, false, 1},
		{5 * time.Second, false, true, 1},
		{30 * time.Second, true, false, 3},
		{30 * time.Second, true, true, 4},
		{30 * time.Second, false, false, 2},
		{30 * time.Second, false, true, 3},
	} {
		t.Run(fmt.Sprintf("%s, ctx can end: %t, stats: %t", tt.takes, tt.ends, tt.stats), func(t *testing.T) {
			t.Parallel()
			if tt.takes > time.Second && testing.Short() {
				t.Skip("-short: that takes its time")
			}
			server := fakebq.Run(t, fakebq.Options{MinHold: 700 * time.Millisecond})
			until := make(chan struct{})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Until: until})
			db := open(t, server)
			ctx := context.Background() // t.Context can end
			if tt.ends {
				ctx = t.Context()
			}
			if tt.stats {
				ctx = driver.WithStats(ctx, new(driver.Stats))
			}
			if err := db.PingContext(ctx); err == nil { // connects; it has no answer
				t.Fatal("got no error")
			}
			server.ResetLog()
			began := time.Now()
			time.AfterFunc(tt.takes, func() { close(until) })
			if _, err := db.ExecContext(ctx, insert); err != nil {
				t.Fatal(err)
			}
			late := time.Since(began) - tt.takes
			const busy = 500 * time.Millisecond // so late, the statement may have taken longer than a hold
			if got := server.Count(); got != tt.want && late < busy {
				t.Errorf("got %d requests; want %d: %v", got, tt.want, server.Counts())
			}
			if late > 10*time.Second { // of a busy machine
				t.Errorf("it was late by %s", late)
			}
			t.Logf("%d requests, %s late", server.Count(), late.Round(100*time.Microsecond))
		})
	}
}
