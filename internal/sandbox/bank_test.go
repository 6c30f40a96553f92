package sandbox

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// transfersEach returns how many transfers each worker of a bank makes: enough to conflict with the others.
func transfersEach() int {
	if testing.Short() {
		return 10
	}
	return 50
}

// TestBankTransfer has many sessions move money between accounts, each a table, in
// transactions that conflict and are tried again, or are rolled back. Money is neither
// made nor lost.
func TestBankTransfer(t *testing.T) {
	t.Parallel()
	const workers, accounts = 16, 128
	transfers := transfersEach()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.done (worker INT64, n INT64)")
	for i := range accounts {
		exec(t, s, fmt.Sprintf("CREATE TABLE d.account%d (balance INT64)", i),
			fmt.Sprintf("INSERT INTO d.account%d VALUES (1000)", i))
	}
	first := newClient(t, s, DefaultAccount)
	var wg sync.WaitGroup
	var mu sync.Mutex
	conflicts := 0
	for w := range workers {
		c := first.with("")
		c.open()
		wg.Go(func() {
			for n := range transfers {
				from := (w*8 + n*3) % accounts
				to := (from + 1 + (w+n*5)%(accounts-1)) % accounts
				if n%10 == 0 { // this one is rolled back
					if _, err := transfer(c, "ROLLBACK", w, n, from, to); err != nil {
						t.Error(err)
						return
					}
				}
				for {
					lost, err := transfer(c, "COMMIT", w, n, from, to)
					if err != nil {
						t.Error(err)
						return
					}
					if !lost {
						break
					}
					mu.Lock()
					conflicts++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	var parts []string
	for i := range accounts {
		parts = append(parts, fmt.Sprintf("SELECT balance FROM d.account%d", i))
	}
	sum := "SELECT SUM(balance) FROM (" + strings.Join(parts, " UNION ALL ") + ")"
	if got := first.value(sum); got != fmt.Sprint(accounts*1000) {
		t.Errorf("got a total of %s; want %d", got, accounts*1000)
	}
	if got := first.value("SELECT COUNT(DISTINCT worker * 1000 + n) FROM d.done"); got != fmt.Sprint(
		workers*transfers) {
		t.Errorf("got %s transfers; want %d", got, workers*transfers)
	}
	if n := count(t, s, "d.done"); n != int64(workers*transfers) {
		t.Errorf("got %d notes; want %d: a transaction that was rolled back has left something", n, workers*transfers)
	}
	if conflicts == 0 {
		t.Error("got no conflict; want some, or the test shows little")
	}
	t.Logf("%d conflicts", conflicts)
}

// transfer moves 1 between two accounts and then does what end says; lost = the transaction had a conflict.
func transfer(c *client, end string, worker, n, from, to int) (lost bool, err error) {
	for _, sql := range []string{
		"BEGIN TRANSACTION",
		fmt.Sprintf("INSERT INTO d.done VALUES (%d, %d)", worker, n),
		fmt.Sprintf("UPDATE d.account%d SET balance = balance - 1 WHERE TRUE", from),
		fmt.Sprintf("UPDATE d.account%d SET balance = balance + 1 WHERE TRUE", to),
		end + " TRANSACTION",
	} {
		if _, err := c.query(sql); err != nil {
			if strings.Contains(err.Error(), "Transaction is aborted due to concurrent update against table") {
				if sql == end+" TRANSACTION" {
					return true, nil // a COMMIT that fails has ended it
				}
				_, err = c.query("ROLLBACK TRANSACTION")
				return true, err
			}
			return false, fmt.Errorf("%s: %w", sql, err)
		}
	}
	return false, nil
}
