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

// structField is a field of a Go struct.
type structField struct {
	name  string
	index []int
}

var fieldsByType sync.Map // reflect.Type -> []structField

// structFields returns the exported fields of a struct type. The name of a field is the one in its
// tag `bigquery:"name"`, as for the official client, else its Go name; "-" leaves it out. The
// fields of an embedded struct without a tag are promoted, unless it is a value such as time.Time.
// As in Go, the outermost of several fields with one name counts.
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

// outermost removes fields that are hidden by one of the same name further out.
func outermost(fields []structField) []structField {
	depth := make(map[string]int)
	for _, f := range fields {
		if d, ok := depth[f.name]; !ok || len(f.index) < d {
			depth[f.name] = len(f.index)
		}
	}
	return slices.DeleteFunc(fields, func(f structField) bool { return len(f.index) > depth[f.name] })
}

// fieldNamed returns the index of the field with a name, without regard to case if no field has
// exactly this name; -1 if there is none.
func fieldNamed(fields []structField, name string) int {
	if i := slices.IndexFunc(fields, func(f structField) bool { return f.name == name }); i >= 0 {
		return i
	}
	return slices.IndexFunc(fields, func(f structField) bool { return strings.EqualFold(f.name, name) })
}

var recursiveTypes sync.Map // reflect.Type -> bool

// checkRecursion returns an error for a struct type that contains itself, at any depth.
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
		return fmt.Errorf("a %s can contain another one, which a STRUCT can't: "+
			"leave the field out with the tag `bigquery:\"-\"`", t)
	}
	return nil
}

// holds reports whether t has a field of type inner, at any depth.
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

// isValue reports whether a struct type has a scalar type in BigQuery, or converts itself.
func isValue(t reflect.Type) bool {
	_, ok := reflect.New(t).Interface().(driver.Valuer)
	return ok || readsValue(t)
}

// readsValue reports whether a value, and not a STRUCT or a row by its fields, is read into a
// struct type.
func readsValue(t reflect.Type) bool {
	switch reflect.New(t).Interface().(type) {
	case sql.Scanner, *time.Time, *big.Int, *big.Rat, *bigquery.IntervalValue, *Range, *Struct:
		return true
	}
	return false
}

// isSQLNull reports whether a type is a sql.Null[T]. The driver decodes and encodes its V, because
// Value would turn a civil.Date into text, and Scan can't decode a STRUCT.
func isSQLNull(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null[")
}

// isNullOf reports whether the driver decodes the first field of a type and sets its flag: a
// sql.Null[T], or a nullable type of the official client, such as bigquery.NullInt64, which has no
// Scan.
func isNullOf(t reflect.Type) bool {
	return isSQLNull(t) || t.Kind() == reflect.Struct && t.PkgPath() == bigqueryPath &&
		strings.HasPrefix(t.Name(), "Null") && t.NumField() == 2 && t.Field(1).Name == "Valid"
}

var bigqueryPath = reflect.TypeFor[bigquery.NullInt64]().PkgPath()
