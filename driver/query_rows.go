package driver

import (
	"context"
	"iter"
	"reflect"

	bq "google.golang.org/api/bigquery/v2"
)

// Query runs a statement and decodes its rows into values of type T, by the rules of [As] and faster than Rows.Scan:
// how a column becomes a field is decided once, and no value goes through an interface.
//
//	type Name struct {
//		Name  string
//		Total int64 `bigquery:"total"`
//	}
//	for name, err := range driver.Query[Name](ctx, db, "SELECT name, SUM(number) AS total ... GROUP BY name") {
//		if err != nil {
//			return err
//		}
//		fmt.Println(name.Name, name.Total)
//	}
//
// T is a struct, a pointer to one, a [Struct] or a map with string keys, which takes the columns by their names; or
// anything else that As decodes a value into, such as int64, time.Time, *string or sql.Null[float64]: then the result
// must have one column. Columns that a struct has no field for are left out.
//
// The statement runs when the loop begins, and again in each further loop. An error ends the loop: it comes with a zero
// T, as the last pair. A column whose type never fits its field is an error before the first row; a value that does
// not fit, such as NULL into an int64, is one at its row. Leaving the loop closes the rows, and so does the end of ctx.
// Of a script, Query reads the rows of its first SELECT. The observer and [WithStats] are told as for any statement.
func Query[T any](ctx context.Context, q Queryer, query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		l, err := borrow(ctx, q, query, args, func(columns []column, fields []*bq.TableFieldSchema) (target, error) {
			return newRowTarget(reflect.TypeFor[T](), columns, fields)
		})
		if err != nil {
			yield(none, err)
			return
		}
		left := 0
		defer func() { _ = l.close(left) }()
		for b := l.next(); b != nil; b = l.next() {
			list := b.made.list.([]T)
			for i := range list[:b.rows] {
				if left = b.rows - i; l.ended() {
					break
				}
				left--
				if !yield(list[i], nil) {
					return
				}
			}
		}
		if err := l.rows.Err(); err != nil {
			yield(none, err)
		}
	}
}
