package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// takesJSON reports whether a JSON value is parsed for a destination. It looks behind pointers and
// sql.Null[T]. An any and basic types get the text.
func takesJSON(to reflect.Value) bool {
	if _, ok := to.Addr().Interface().(json.Unmarshaler); ok || to.Type() == reflect.TypeFor[json.Number]() {
		return true
	}
	switch to.Kind() {
	case reflect.Struct, reflect.Map, reflect.Array:
		return true
	case reflect.Slice:
		return to.Type().Elem().Kind() != reflect.Uint8
	}
	return false
}

// assignJSON parses a JSON value into a destination. Numbers in an any are json.Number, which keeps
// all digits. JSON's null is the zero value.
func assignJSON(to reflect.Value, text string) error {
	value := reflect.New(to.Type())
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(value.Interface()); err != nil {
		return fmt.Errorf("the JSON can't be put into a %s: %w", to.Type(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("the JSON has more text after its value")
	}
	to.Set(value.Elem())
	return nil
}
