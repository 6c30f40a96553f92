package driver

import (
	"context"
	"iter"
	"reflect"

	bq "google.golang.org/api/bigquery/v2"
)

// Query runs a statement and decodes its rows into values of type T. It follows the rules of [As]
// and is faster than Rows.Scan, because columns are matched with fields only once and values do not
// pass through interfaces.
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
// T can be a struct, a pointer to one, a [Struct] or a map with string keys, which get the columns
// by their names. Columns without a field in the struct are left out. T can also be any other type
// that As decodes a value into, such as int64, time.Time, *string or sql.Null[float64]; the result
// must then have one column.
//
// The statement runs when a loop begins, and again in the next loop. An error ends the loop; it
// comes last, with a zero T. If the type of a column never fits its field, the error comes before
// the first row. If a value does not fit, such as NULL into an int64, the error comes at its row.
// The rows are closed when the loop or ctx ends. Query returns the first SELECT of a script. The
// observer and [WithStats] get the Stats as for any statement.
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
