package driver

import (
	"reflect"
	"testing"
)

// TestSlotUses: the facts about a placeholder's type in the tokens around it. If there are too few, its use is
// free, and the driver asks BigQuery.
func TestSlotUses(t *testing.T) {
	t.Parallel()
	const free, compared, assigned = usedFreely, usedCompared, usedAssigned
	for _, tt := range []struct {
		name, sql string
		want      []slotUse
	}{
		{"alone", "SELECT ?", []slotUse{free}},
		{"rows of VALUES", "INSERT INTO t (a, b) VALUES (?, 1), (2, ?)", []slotUse{assigned, assigned}},
		{"expression in a row", "INSERT INTO t VALUES (? + 1, f(?), ?)", []slotUse{free, free, assigned}},
		{"after the rows", "INSERT INTO t VALUES (?) SELECT (?)", []slotUse{assigned, free}},
		{"SET", "UPDATE t SET a = ?, x.b = ? WHERE c = ?", []slotUse{assigned, assigned, compared}},
		{"SET of an expression", "UPDATE t SET a = b + ?", []slotUse{free}},
		{"comparisons", "SELECT a FROM t WHERE a >= ? AND `b` != ? AND c <> ?", []slotUse{compared, compared, compared}},
		{"the other way round", "SELECT a FROM t WHERE ? = a", []slotUse{free}},
		{"two placeholders", "SELECT ? = ?", []slotUse{free, free}},
		{"a name used twice", "SELECT @a IS NULL OR n = @A, @b", []slotUse{compared, free}},
		{"a string", "SELECT 'x' = ?", []slotUse{free}},
		{"a comment between", "SELECT a /* = */ = -- ?\n ? FROM t", []slotUse{compared}},
	} {
		sql, err := scanText(tt.sql)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(sql.uses, tt.want) {
			t.Errorf("%s: got %v; want %v", tt.name, sql.uses, tt.want)
		}
	}
}
