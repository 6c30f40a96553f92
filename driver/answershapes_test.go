package driver_test

import (
	"fmt"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestAnswerShapes feeds the answers to each kind of statement to the driver: complete at once, after a poll, and as
// the repeat of a request whose answer was lost. Rows and counts are the same each time.
func TestAnswerShapes(t *testing.T) {
	t.Parallel()
	for _, shape := range fakebq.Shapes() {
		switch shape.Phase {
		case fakebq.Complete, fakebq.Polled, fakebq.Duplicate:
		default:
			continue
		}
		answer := shape.Script()
		var affected int64
		switch {
		case answer.DML != nil, len(answer.Children) > 0:
			affected = 1
		case answer.Created != nil:
			affected = answer.Created.Rows
		}
		columns, rows := 0, 0
		if shape.Type == "SELECT" || len(answer.Children) > 0 {
			columns, rows = 2, 2
		}
		serve := func(t *testing.T) *fakebq.Server {
			server := fakebq.Run(t, fakebq.Options{})
			a := answer
			switch shape.Phase {
			case fakebq.Polled:
				a.Incomplete = 1
			case fakebq.Duplicate:
				server.Inject(fakebq.Query, fakebq.Fail(fakebq.Error{Reason: "backendError"}).After())
			}
			server.On(shape.SQL, a)
			return server
		}
		name := fmt.Sprint(shape.Type, " ", shape.SQL, " ", shape.Phase)
		t.Run("exec "+name, func(t *testing.T) {
			t.Parallel()
			server := serve(t)
			result, err := open(t, server).ExecContext(t.Context(), shape.SQL)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := result.RowsAffected(); got != affected || err != nil {
				t.Errorf("got %d rows affected, %v; want %d", got, err, affected)
			}
			if got := server.Executions(shape.SQL); got != 1 {
				t.Errorf("the statement ran %d times; want once", got)
			}
		})
		t.Run("query "+name, func(t *testing.T) {
			t.Parallel()
			result, err := open(t, serve(t)).QueryContext(t.Context(), shape.SQL)
			if err != nil {
				t.Fatal(err)
			}
			names, err := result.Columns()
			if err != nil {
				t.Fatal(err)
			}
			if got := readAll(t, result); len(names) != columns || len(got) != rows {
				t.Errorf("got %d columns and %d rows; want %d and %d", len(names), len(got), columns, rows)
			}
		})
	}
}
