package driver_test

import (
	"errors"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestEstimate asks what a statement would read, and runs nothing.
func TestEstimate(t *testing.T) {
	t.Parallel()
	const text = "SELECT name, n FROM t WHERE d = ? AND n > ?"
	server := fakebq.Run(t, fakebq.Options{})
	server.On(text, fakebq.Answer{
		Fields: numbers.Fields,
		Rows:   numbers.Rows,
		Bytes:  12345,
		Parameters: []fakebq.Parameter{
			{Type: &bq.QueryParameterType{Type: "DATE"}},
			{Type: &bq.QueryParameterType{Type: "INT64"}},
		},
	})
	conn, err := open(t, server).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	bytes, err := driver.Estimate(t.Context(), conn, text, time.Now(), 1)
	if err != nil || bytes != 12345 {
		t.Errorf("got %d, %v; want 12345", bytes, err)
	}
	if got := server.Count(fakebq.Query); got != 0 {
		t.Errorf("got %d statements sent; want 0", got)
	}
	if _, err := driver.Estimate(t.Context(), conn, "SELECT nonsense"); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("got %v; want invalidQuery", err)
	}
	if _, err := driver.Estimate(t.Context(), conn, text, 1); err == nil {
		t.Error("one argument of two: got no error")
	}
}
