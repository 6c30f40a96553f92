package sandbox

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// TestDriverBank moves money between accounts in many transactions at once through database/sql:
// what conflicts is tried
// again, what is rolled back leaves nothing, and the sum stays.
func TestDriverBank(t *testing.T) {
	t.Parallel()
	const people, accounts, balance = 16, 48, 1000 // an account is a table: conflicts are between tables
	transfers := transfersEach()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	execSQL(t, db, "CREATE TABLE done (person INT64, n INT64)")
	for i := range accounts {
		execSQL(t, db, fmt.Sprintf("CREATE TABLE account%d AS SELECT %d AS balance", i, balance))
	}
	transfer := func(person, n, from, to int, end func(*sql.Tx) error) error {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after Commit it does nothing
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO done VALUES (?, ?)", person, n); err != nil {
			return err
		}
		for account, amount := range map[int]int{from: -1, to: 1} {
			if _, err := tx.ExecContext(t.Context(), fmt.Sprintf(
				"UPDATE account%d SET balance = balance + ? WHERE TRUE", account), amount); err != nil {
				return err
			}
		}
		return end(tx)
	}
	var wg sync.WaitGroup
	var conflicts atomic.Int64
	for person := range people {
		wg.Go(func() {
			for n := range transfers {
				from := rand.IntN(accounts)
				to := (from + 1 + rand.IntN(accounts-1)) % accounts
				ends := []func(*sql.Tx) error{(*sql.Tx).Commit}
				if n%5 == 0 { // rolled back, and then done
					ends = []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit}
				}
				for len(ends) > 0 {
					switch err := transfer(person, n, from, to, ends[0]); {
					case err == nil:
						ends = ends[1:]
					case errors.Is(err, driver.ErrConcurrentUpdate):
						conflicts.Add(1)
					default:
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	var parts []string
	for i := range accounts {
		parts = append(parts, fmt.Sprintf("SELECT balance FROM account%d", i))
	}
	var sum, notes, different int64
	err := db.QueryRowContext(t.Context(), "SELECT (SELECT SUM(balance) FROM ("+strings.Join(parts, " UNION ALL ")+
		")), (SELECT COUNT(*) FROM done), (SELECT COUNT(DISTINCT person * 1000 + n) FROM done)").Scan(&sum, &notes,
		&different)
	if err != nil || sum != accounts*balance || notes != int64(people*transfers) || different != notes {
		t.Errorf("got the sum %d, %d notes of %d transfers, %v; want %d and %d", sum, notes, different, err,
			accounts*balance, people*transfers)
	}
	if conflicts.Load() == 0 {
		t.Error("got no conflict; want some, or the test shows little")
	}
	t.Logf("%d conflicts", conflicts.Load())
}
