package driver_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
)

// A program tells a few kinds of errors apart, and prints the rest.
func Example_errors() {
	db := exampleDB()
	defer db.Close()
	_, err := db.QueryContext(context.Background(), "SELECT id FROM no_such_table")
	switch {
	case errors.Is(err, auth.ErrConsentRequired):
		fmt.Println("sign in first: run the program at a terminal")
	case errors.Is(err, driver.ErrNotFound):
		fmt.Println("no such table, or another location")
	case errors.Is(err, driver.ErrAccessDenied):
		fmt.Println("not allowed:", err) // it names the account, the project and the permission
	case errors.Is(err, driver.ErrBytesBilledLimit):
		fmt.Println("too expensive")
	case err != nil:
		fmt.Printf("%+v\n", err)
	}
	// Output: no such table, or another location
}

// A statement that changes something was sent, and its answer is lost: it may have run. The
// program looks, and sends it again only if it has not.
func ExampleErrOutcomeUnknown() {
	db := exampleDB()
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := db.ExecContext(ctx, "INSERT INTO orders (id) SELECT MAX(id) + 1 FROM orders")
	if !errors.Is(err, driver.ErrOutcomeUnknown) {
		log.Fatal(err)
	}
	fmt.Println("look first:", errors.Is(err, context.DeadlineExceeded))
	count(context.Background(), db, "SELECT COUNT(*) FROM orders")
	// Output:
	// look first: true
	// 3
}

// retryable reports whether a program may run the same work again by itself.
func retryable(err error) bool {
	switch {
	case errors.Is(err, driver.ErrConcurrentUpdate):
		return true // the whole transaction
	case errors.Is(err, driver.ErrOutcomeUnknown), errors.Is(err, driver.ErrCommitUnknown):
		return false // look first
	case errors.Is(err, driver.ErrQuotaExceeded), errors.Is(err, driver.ErrBillingNotEnabled):
		return false // until a setting is changed
	case errors.Is(err, driver.ErrResourcesExceeded), errors.Is(err, driver.ErrStopped):
		return false // a smaller statement; or a user has cancelled the job
	case errors.Is(err, driver.ErrDuplicate):
		return false // the table exists already: perhaps an earlier run has created it
	}
	return false // the driver has already repeated what fails for temporary reasons
}

// The driver repeats requests that fail for temporary reasons. Of the errors that it returns, only a
// concurrent update is worth another try.
func Example_retry() {
	fmt.Println(retryable(driver.ErrConcurrentUpdate), retryable(driver.ErrCommitUnknown))
	// Output: true false
}
