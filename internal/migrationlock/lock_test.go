package migrationlock

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// answer is what a statement changed, or its error.
type answer struct {
	rows int64
	err  error
}

// script answers statements: CREATE with the first of creates, an UPDATE that renews with the first of renewals, and so
// on. The last answer is repeated; without one a row is changed.
type script struct {
	mu                                 sync.Mutex
	creates, takes, renewals, releases []answer
}

func (s *script) ExecContext(_ context.Context, query string, _ ...any) (sql.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := &s.takes
	switch {
	case strings.HasPrefix(query, "CREATE"):
		list = &s.creates
	case strings.Contains(query, "SET owner = ''"):
		list = &s.releases
	case strings.Contains(query, "WHERE owner = '") && !strings.Contains(query, "OR"):
		list = &s.renewals
	}
	a := answer{rows: 1}
	if len(*list) > 0 {
		a = (*list)[0]
		if len(*list) > 1 {
			*list = (*list)[1:]
		}
	}
	return sqldriver.RowsAffected(a.rows), a.err
}

func conflict() error { return &driver.Error{Reason: driver.ErrConcurrentUpdate, Message: "conflict"} }

func TestTry(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		db   *script
		want error
	}{
		{"free", &script{}, nil},
		{"held", &script{takes: []answer{{rows: 0}}}, ErrHeld},
		{"taken by another program at this moment", &script{takes: []answer{{err: conflict()}}}, ErrHeld},
		{"the table created by another program at this moment",
			&script{creates: []answer{{err: &driver.Error{Reason: driver.ErrDuplicate}}}}, nil},
		{"no right to create the table", &script{creates: []answer{{err: broken}}}, broken},
		{"no right to change it", &script{takes: []answer{{err: broken}}}, broken},
	} {
		lock, err := Try(t.Context(), c.db, "t", time.Minute)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v; want %v", c.name, err, c.want)
		}
		if lock != nil {
			if err := errors.Join(lock.Err(), lock.Release(t.Context())); err != nil {
				t.Errorf("%s: released: %v", c.name, err)
			}
		}
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		db   *script
		want error
	}{
		{"a conflict with a program that waits", &script{releases: []answer{{err: conflict()}, {rows: 1}}}, nil},
		{"expired", &script{releases: []answer{{rows: 0}}}, ErrLost},
		{"conflicts without end", &script{releases: []answer{{err: conflict()}}}, driver.ErrConcurrentUpdate},
	} {
		lock, err := Try(t.Context(), c.db, "t", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := lock.Release(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v; want %v", c.name, err, c.want)
		}
	}
}

// TestLost: a lock that another program has taken says so while it is held. A failure or a conflict does not.
func TestLost(t *testing.T) {
	t.Parallel()
	db := &script{renewals: []answer{{err: errors.New("no network")}, {err: conflict()}, {rows: 1}, {rows: 0}}}
	lock, err := Try(t.Context(), db, "t", 30*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	<-lock.done // the renewal ends
	if err := lock.Err(); !errors.Is(err, ErrLost) {
		t.Errorf("got %v; want ErrLost", err)
	}
	if n := len(db.renewals); n != 1 {
		t.Errorf("got %d answers left; want the last one", n)
	}
	lock.Release(t.Context())
}
