package sandbox

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// TestDriverBank moves money between accounts in many transactions at once: what conflicts is tried
// again, what is rolled back leaves nothing, and the sum stays.
func TestDriverBank(t *testing.T) {
	t.Parallel()
	const people, transfers, accounts, start0 = 8, 10, 4, 1000
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	execSQL(t, db, "CREATE TABLE accounts (id INT64 NOT NULL, balance INT64 NOT NULL)")
	for id := range accounts {
		execSQL(t, db, "INSERT INTO accounts (id, balance) VALUES (?, ?)", id, start0)
	}
	transfer := func(from, to int, undo bool) error {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after Commit it does nothing
		if _, err := tx.ExecContext(t.Context(), "UPDATE accounts SET balance = balance - 1 WHERE id = ?", from); err != nil {
			return err
		}
		if undo {
			return tx.Rollback()
		}
		if _, err := tx.ExecContext(t.Context(), "UPDATE accounts SET balance = balance + 1 WHERE id = ?", to); err != nil {
			return err
		}
		return tx.Commit()
	}
	var wg sync.WaitGroup
	for range people {
		wg.Go(func() {
			for i := range transfers {
				from := rand.IntN(accounts)
				err := error(driver.ErrConcurrentUpdate)
				for errors.Is(err, driver.ErrConcurrentUpdate) {
					err = transfer(from, (from+1)%accounts, i%3 == 2)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	var sum, count int64
	if err := db.QueryRowContext(t.Context(), "SELECT SUM(balance), COUNT(*) FROM accounts").Scan(&sum, &count); err != nil || sum != accounts*start0 || count != accounts {
		t.Errorf("got the sum %d of %d accounts, %v; want %d of %d", sum, count, err, accounts*start0, accounts)
	}
}
