package fakebq

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

// decodeRow decodes an appended row, with the protobuf library only.
func decodeRow(schema protoreflect.MessageDescriptor, fields []Field, text []byte,
	missing map[string]storagepb.AppendRowsRequest_MissingValueInterpretation) ([]any, error) {
	d := storagewire.Decoder{Fields: storageFields(fields), Missing: missing, Scalar: decodeValue}
	row, err := d.Row(schema, text)
	for i, v := range row {
		if _, ok := v.(storagewire.Default); ok {
			row[i] = fields[i].Default
		}
	}
	return row, err
}

// decodeValue returns a value as an Answer takes it. It accepts only the kinds that the service's
// documentation prefers.
func decodeValue(f *storagepb.TableFieldSchema, v any) (any, error) {
	switch x := v.(type) {
	case storagewire.Range:
		return Range{x.Start, x.End}, nil
	case int64:
		switch f.Type {
		case storagepb.TableFieldSchema_TIMESTAMP:
			return time.UnixMicro(x).UTC(), nil
		case storagepb.TableFieldSchema_INT64:
			return x, nil
		}
	case int32:
		if f.Type == storagepb.TableFieldSchema_DATE {
			return time.Unix(int64(x)*24*60*60, 0).UTC().Format(time.DateOnly), nil
		}
	case float64, bool, []byte:
		return x, nil
	case string:
		switch {
		case f.GetTimestampPrecision().GetValue() == 12:
			return Picos(x), nil
		case f.Type == storagepb.TableFieldSchema_DATETIME:
			return strings.Replace(x, " ", "T", 1), nil
		}
		return x, nil
	}
	return nil, fmt.Errorf("a %T for a column of type %s", v, f.Type)
}

// decodeLine parses a line of a load job.
func decodeLine(fields []Field, line []byte) ([]any, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return nil, err
	}
	row := make([]any, len(fields))
	known := 0
	for i, f := range fields {
		v, ok := object[f.Name]
		if ok {
			known++
		} else if f.Default != nil {
			row[i] = f.Default
			continue
		}
		var err error
		if row[i], err = decodeJSON(f, v); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if row[i] == nil && f.Mode == "REQUIRED" {
			return nil, fmt.Errorf("%s: Missing required field", f.Name)
		}
	}
	if known < len(object) {
		return nil, fmt.Errorf("no such field")
	}
	return row, nil
}

func decodeJSON(f Field, v json.RawMessage) (any, error) {
	if f.Mode == "REPEATED" {
		var list []json.RawMessage
		if err := json.Unmarshal(orNull(v), &list); err != nil {
			return nil, err
		}
		out := []any{}
		f.Mode = ""
		for _, e := range list {
			x, err := decodeJSON(f, e)
			if err != nil || x == nil {
				return nil, fmt.Errorf("an element is NULL or wrong: %v", err)
			}
			out = append(out, x)
		}
		return out, nil
	}
	if f.Type == "JSON" && len(v) > 0 && string(v) != "null" {
		return string(v), nil
	}
	if string(orNull(v)) == "null" {
		return nil, nil
	}
	switch f.Type {
	case "RECORD":
		return decodeLine(f.Fields, v)
	case "RANGE":
		ends, err := decodeLine([]Field{{Name: "start", Type: f.Element}, {Name: "end", Type: f.Element}}, v)
		if err != nil {
			return nil, err
		}
		return Range{ends[0], ends[1]}, nil
	case "BOOLEAN":
		var b bool
		err := json.Unmarshal(v, &b)
		return b, err
	}
	var text string
	if json.Unmarshal(v, &text) != nil {
		text = string(v) // a number
	}
	switch f.Type {
	case "BYTES":
		return base64.StdEncoding.DecodeString(text)
	case "TIMESTAMP":
		if f.TimestampPrecision == 12 {
			return Picos(text), nil
		}
		return time.Parse("2006-01-02T15:04:05.999999Z", text)
	case "FLOAT":
		if text == "Infinity" || text == "-Infinity" {
			return math.Inf(map[bool]int{true: -1, false: 1}[text[0] == '-']), nil
		}
		return strconv.ParseFloat(text, 64)
	case "INTEGER":
		return strconv.ParseInt(text, 10, 64)
	case "DATETIME":
		return strings.Replace(text, " ", "T", 1), nil
	}
	return text, nil
}

func orNull(v json.RawMessage) json.RawMessage {
	if len(v) == 0 {
		return json.RawMessage("null")
	}
	return v
}
