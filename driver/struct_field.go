package driver

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/bigquery"
)

// structField is one field of a Go struct as BigQuery sees it.
type structField struct {
	name  string
	index []int
}

var fieldsByType sync.Map // reflect.Type -> []structField

// structFields lists the exported fields of a struct type. A field's name is the one in its tag
// `bigquery:"name"`, as for the official client, else its own; "-" leaves it out. The fields of
// an embedded struct without a tag count as the outer one's, unless it is a value of its own, as
// time.Time is; of those of one name the outermost counts, as in Go.
func structFields(t reflect.Type) []structField {
	if known, ok := fieldsByType.Load(t); ok {
		return known.([]structField)
	}
	fields := outermost(appendFields(nil, t, nil))
	fieldsByType.Store(t, fields)
	return fields
}

func appendFields(fields []structField, t reflect.Type, index []int) []structField {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("bigquery"), ",")
		at := append(slices.Clone(index), i)
		switch {
		case tag == "-":
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct && !isValue(f.Type):
			fields = appendFields(fields, f.Type, at)
		case f.IsExported() && tag != "":
			fields = append(fields, structField{tag, at})
		case f.IsExported():
			fields = append(fields, structField{f.Name, at})
		}
	}
	return fields
}

// outermost drops the fields that one of the same name further out hides.
func outermost(fields []structField) []structField {
	depth := make(map[string]int)
	for _, f := range fields {
		if d, ok := depth[f.name]; !ok || len(f.index) < d {
			depth[f.name] = len(f.index)
		}
	}
	return slices.DeleteFunc(fields, func(f structField) bool { return len(f.index) > depth[f.name] })
}

// fieldNamed finds the field for a name, without regard to case where none has exactly this one; -1 if there is none.
func fieldNamed(fields []structField, name string) int {
	if i := slices.IndexFunc(fields, func(f structField) bool { return f.name == name }); i >= 0 {
		return i
	}
	return slices.IndexFunc(fields, func(f structField) bool { return strings.EqualFold(f.name, name) })
}

var recursiveTypes sync.Map // reflect.Type -> bool

// checkRecursion refuses a struct type that has a field of its own type, at some depth.
func checkRecursion(t reflect.Type) error {
	if t.Kind() != reflect.Struct || isValue(t) {
		return nil
	}
	found, known := recursiveTypes.Load(t)
	if !known {
		found = holds(t, t, map[reflect.Type]bool{})
		recursiveTypes.Store(t, found)
	}
	if found == true {
		return fmt.Errorf("a %s can hold another one, which no STRUCT can: leave the field out by the tag `bigquery:\"-\"`", t)
	}
	return nil
}

// holds reports whether a field of t is an inner, or of a type that holds one.
func holds(t, inner reflect.Type, seen map[reflect.Type]bool) bool {
	seen[t] = true
	for _, f := range structFields(t) {
		part := t.FieldByIndex(f.index).Type
		for part.Kind() == reflect.Pointer || part.Kind() == reflect.Slice {
			part = part.Elem()
		}
		if part == inner || part.Kind() == reflect.Struct && !seen[part] && !isValue(part) && holds(part, inner, seen) {
			return true
		}
	}
	return false
}

// isValue tells a struct that BigQuery has a scalar type for, or that says itself what it is.
func isValue(t reflect.Type) bool {
	switch reflect.New(t).Interface().(type) {
	case driver.Valuer, sql.Scanner, *time.Time, *big.Int, *big.Rat, *bigquery.IntervalValue, *Range, *Struct:
		return true
	}
	return false
}

// isSQLNull tells a sql.Null[T], which is opened wherever it is met: its Value would turn a civil.Date in it into text,
// and its Scan knows no STRUCT.
func isSQLNull(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null[")
}

// isNullOf reports whether a type is a value with a flag that is opened to be read: a sql.Null[T], or one of the
// client's, such as bigquery.NullInt64, which has no Scan.
func isNullOf(t reflect.Type) bool {
	return isSQLNull(t) || t.Kind() == reflect.Struct && t.PkgPath() == bigqueryPath &&
		strings.HasPrefix(t.Name(), "Null") && t.NumField() == 2 && t.Field(1).Name == "Valid"
}

var bigqueryPath = reflect.TypeFor[bigquery.NullInt64]().PkgPath()
