//go:build go1.27

package driver

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"time"
)

var _ driver.RowsColumnScanner = (*rows)(nil)

// ScanColumn copies a value of the current row to the destination. If the destination has the
// value's own type, as most do, it uses no reflection. It puts JSON into a json.RawMessage, and a
// DATE, DATETIME or TIMESTAMP(12) into a string as BigQuery writes it. Otherwise database/sql
// converts the value.
func (r *rows) ScanColumn(scan driver.ScanContext, i int, dest any) error {
	if i < 0 || i >= len(r.row) {
		return errors.New("bigqueryuser: ScanColumn: there is no current row, or it has no such column")
	}
	if d, ok := dest.(*string); ok && d != nil {
		if text, ok := markedText(r.row[i]); ok {
			*d = text
			return nil
		}
	}
	if assignOwn(dest, r.row[i]) {
		return nil
	}
	if raw, ok := dest.(*json.RawMessage); ok && raw != nil && r.columns[i].typeName == "JSON" {
		switch v := r.row[i].(type) {
		case string:
			*raw = json.RawMessage(v)
			return nil
		case nil:
			*raw = nil
			return nil
		}
	}
	return sql.ConvertAssign(scan, dest, r.row[i])
}

// assignOwn sets a destination of the value's own type. It returns false for any other destination,
// and for BYTES, of which the caller needs a copy.
func assignOwn(dest any, value driver.Value) bool {
	switch d := dest.(type) {
	case *any:
		if _, shared := value.([]byte); !shared && d != nil {
			*d = value
			return true
		}
	case *int64:
		return set(d, value)
	case *string:
		return set(d, value)
	case *float64:
		return set(d, value)
	case *bool:
		return set(d, value)
	case *time.Time:
		return set(d, value)
	}
	return false
}

func set[T any](dest *T, value driver.Value) bool {
	v, ok := value.(T)
	if ok = ok && dest != nil; ok {
		*dest = v
	}
	return ok
}
