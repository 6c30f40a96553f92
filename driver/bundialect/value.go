package bundialect

import (
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// Value returns an argument that is written as a GoogleSQL literal of its Go type, for a Where or
// Set of bun, which by itself writes slices and structs as JSON and decimals as text:
//
//	q.Where("id IN UNNEST(?)", bundialect.Value(ids)).Where("price > ?", bundialect.Value(big.NewRat(5, 2)))
//
// Slices become ARRAY, structs STRUCT, *big.Rat NUMERIC, *big.Int BIGNUMERIC, json.RawMessage JSON, civil types DATE,
// DATETIME and TIME. What has no literal makes the query fail.
func Value(v any) schema.QueryAppender { return value{v} }

type value struct{ v any }

func (v value) AppendQuery(_ schema.QueryGen, b []byte) ([]byte, error) {
	text, err := literal.Append(nil, v.v)
	if err != nil {
		return dialect.AppendError(b, err), nil
	}
	if len(b) > 0 && b[len(b)-1] == '-' { // a minus sign after it would begin a comment
		b = append(b, ' ')
	}
	return append(b, text...), nil
}
