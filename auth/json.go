package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// parseObject reads one JSON object. A repeated key is an error: readers
// differ in which one they take. The error has no part of the text in it.
func parseObject(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	value, err := parseValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has text after the JSON object")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the file is not a JSON object")
	}
	return object, nil
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	broken := func() (any, error) {
		return nil, fmt.Errorf("the file is not valid JSON (near byte %d)", dec.InputOffset())
	}
	tok, err := dec.Token()
	if err != nil || depth > 16 {
		return broken()
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	object := map[string]any{}
	list := []any{}
	for dec.More() {
		if delim == '[' {
			value, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
			continue
		}
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return broken()
		}
		if _, repeated := object[name]; repeated {
			return nil, fmt.Errorf("the file has a JSON key twice (near byte %d)", dec.InputOffset())
		}
		if object[name], err = parseValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return broken()
	}
	if delim == '[' {
		return list, nil
	}
	return object, nil
}
