package driver

import (
	"reflect"
	"strings"
	"sync"
)

// structField is one field of a Go struct as BigQuery sees it.
type structField struct {
	name  string
	index []int
}

var fieldsByType sync.Map // reflect.Type -> []structField

// structFields lists the exported fields of a struct type. A field's name is the one in its tag
// `bigquery:"name"`, as for the official client, else its own; "-" leaves it out. The fields of
// an embedded struct without a tag count as the outer one's.
func structFields(t reflect.Type) []structField {
	if known, ok := fieldsByType.Load(t); ok {
		return known.([]structField)
	}
	var fields []structField
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("bigquery"), ",")
		if !f.IsExported() || tag == "-" || f.Anonymous && tag == "" || promotedThroughPointer(t, f.Index) {
			continue
		}
		name := f.Name
		if tag != "" {
			name = tag
		}
		fields = append(fields, structField{name, f.Index})
	}
	fieldsByType.Store(t, fields)
	return fields
}

// promotedThroughPointer leaves out fields of embedded pointers, which may be nil.
func promotedThroughPointer(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		if t = t.Field(i).Type; t.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}
