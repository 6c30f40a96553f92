package driver_test

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestStmt runs a prepared statement in every way that database/sql/driver has, on one
// connection, and not once it is closed.
func TestStmt(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("UPDATE t SET a = ?", fakebq.Answer{StatementType: "UPDATE", DML: &fakebq.DML{Updated: 2}})
	conn, err := open(t, server).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	prepared, err := conn.PrepareContext(t.Context(), "UPDATE t SET a = ?")
	if err != nil {
		t.Fatal(err)
	}
	res, err := prepared.ExecContext(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 2 || err != nil {
		t.Errorf("got %d, %v; want 2", n, err)
	}
	if err := prepared.Close(); err != nil {
		t.Error(err)
	}
	if _, err := prepared.ExecContext(t.Context(), 1); err == nil {
		t.Error("Exec of a closed statement: got no error")
	}
	if err := conn.Raw(func(raw any) error {
		plain, err := raw.(sqldriver.Conn).Prepare("UPDATE t SET a = ?")
		if err != nil {
			return err
		}
		stmt := plain.(interface {
			sqldriver.Stmt
			sqldriver.StmtQueryContext
		})
		if _, err := stmt.Exec([]sqldriver.Value{int64(1)}); err != nil { //nolint:staticcheck // the old way is there too
			return err
		}
		rows, err := stmt.Query([]sqldriver.Value{int64(1)}) //nolint:staticcheck // likewise
		if err != nil {
			return err
		}
		rows.Close()
		stmt.Close()
		if _, err := stmt.QueryContext(context.Background(), nil); !errors.Is(err, driver.ErrClosed) {
			t.Errorf("Query of a closed statement: got %v; want ErrClosed", err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if got := server.Count(fakebq.Insert); got != 1 {
		t.Errorf("got %d dry runs; want 1", got)
	}
}
