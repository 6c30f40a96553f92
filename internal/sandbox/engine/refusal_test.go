package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// TestRefusalInTry: TRY makes a NULL of an error, but not of a refusal, and nothing of the statement stays.
func TestRefusalInTry(t *testing.T) {
	t.Parallel()
	db, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(context.Background(), "CREATE TABLE t (x BIGINT)"); err != nil {
		t.Fatal(err)
	}
	const refused = "bq_error(x || ' is not supported by the sandbox')"
	ask := func(sql string) (string, error) {
		res, err := conn.Query(context.Background(), sql, nil,
			[]googlesql.Column{{Name: "v", Type: googlesql.Type{Kind: googlesql.String}}}, 0)
		if err != nil {
			return "", err
		}
		return string(res.Blocks[0].Columns[0].Bytes(0)), nil
	}
	for _, sql := range []string{
		"SELECT TRY(bq_error('This is not supported by the sandbox'))",
		"SELECT TRY(" + refused + ") FROM (SELECT 'a' AS x) AS v",
		"INSERT INTO t SELECT length(TRY(" + refused + ")) FROM range(3) AS r(i), (SELECT 'a' AS x) AS v",
	} {
		if _, err := ask(sql); err == nil || !strings.Contains(err.Error(), "is not supported by the sandbox") {
			t.Errorf("%s: got %v; want the refusal", sql, err)
		}
	}
	for sql, want := range map[string]string{
		"SELECT coalesce(TRY(bq_error('no')), 'an error')": "an error",
		"SELECT CAST(count(*) AS VARCHAR) FROM t":          "0",
	} {
		if got, err := ask(sql); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", sql, got, err, want)
		}
	}
}
