package wire

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// RoutineReference is BigQuery's RoutineReference.
type RoutineReference struct {
	ProjectID string `json:"projectId"`
	DatasetID string `json:"datasetId"`
	RoutineID string `json:"routineId"`
}

// RoutineReferenceTo returns the reference to a routine.
func RoutineReferenceTo(n googlesql.TableName) RoutineReference {
	return RoutineReference{n.Project, n.Dataset, n.Table}
}

// Routine is BigQuery's Routine, for routines in SQL.
type Routine struct {
	ETag             string           `json:"etag,omitempty"`
	RoutineReference RoutineReference `json:"routineReference"`
	RoutineType      string           `json:"routineType,omitempty"`
	CreationTime     Int64            `json:"creationTime,omitempty"`
	LastModifiedTime Int64            `json:"lastModifiedTime,omitempty"`
	Language         string           `json:"language,omitempty"`
	Arguments        []Argument       `json:"arguments,omitempty"`
	ReturnType       *DataType        `json:"returnType,omitempty"`
	ReturnTableType  *TableType       `json:"returnTableType,omitempty"`
	Body             string           `json:"definitionBody,omitempty"`
	Description      string           `json:"description,omitempty"`
	StrictMode       *bool            `json:"strictMode,omitempty"`
}

// Argument is a parameter of a routine.
type Argument struct {
	Name string    `json:"name,omitempty"`
	Kind string    `json:"argumentKind,omitempty"`
	Mode string    `json:"mode,omitempty"`
	Type *DataType `json:"dataType,omitempty"`
}

// DataType is BigQuery's StandardSqlDataType.
type DataType struct {
	Kind   string      `json:"typeKind"`
	Elem   *DataType   `json:"arrayElementType,omitempty"`
	Range  *DataType   `json:"rangeElementType,omitempty"`
	Struct *StructType `json:"structType,omitempty"`
}

// StructType is BigQuery's StandardSqlStructType.
type StructType struct {
	Fields []DataField `json:"fields,omitempty"`
}

// TableType is BigQuery's StandardSqlTableType.
type TableType struct {
	Columns []DataField `json:"columns,omitempty"`
}

// DataField is BigQuery's StandardSqlField.
type DataField struct {
	Name string    `json:"name,omitempty"`
	Type *DataType `json:"type,omitempty"`
}

// ArgumentOf converts a parameter. A nil type means ANY TYPE.
func ArgumentOf(name, mode string, t *googlesql.Type) Argument {
	if t == nil {
		return Argument{Name: name, Kind: "ANY_TYPE", Mode: mode}
	}
	return Argument{Name: name, Mode: mode, Type: DataTypeOf(t)}
}

// DataTypeOf writes a type; nil for none.
func DataTypeOf(t *googlesql.Type) *DataType {
	if t == nil {
		return nil
	}
	out := &DataType{Kind: string(t.Kind)}
	switch t.Kind {
	case googlesql.Array:
		out.Elem = DataTypeOf(t.Elem)
	case googlesql.Range:
		out.Range = DataTypeOf(t.Elem)
	case googlesql.Struct:
		out.Struct = &StructType{}
		for _, f := range t.Fields {
			out.Struct.Fields = append(out.Struct.Fields, DataField{f.Name, DataTypeOf(&f.Type)})
		}
	}
	return out
}

// text is the type in GoogleSQL.
func (t *DataType) text() (string, *apierror.Error) {
	if t == nil {
		return "", apierror.Errorf("invalid", "A data type is missing.")
	}
	switch t.Kind {
	case "ARRAY", "RANGE":
		elem := t.Elem
		if t.Kind == "RANGE" {
			elem = t.Range
		}
		inner, err := elem.text()
		return t.Kind + "<" + inner + ">", err
	case "STRUCT":
		var parts []string
		if t.Struct != nil {
			for _, f := range t.Struct.Fields {
				inner, err := f.Type.text()
				if err != nil {
					return "", err
				}
				if f.Name != "" {
					inner = googlesql.QuoteName(f.Name) + " " + inner
				}
				parts = append(parts, inner)
			}
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">", nil
	}
	if KindOf(t.Kind) == "" {
		return "", apierror.Errorf("invalid", "Invalid value for typeKind: %q", t.Kind)
	}
	return t.Kind, nil
}

// ReadRoutine reads the body of routines.insert and routines.update. It refuses fields that the
// sandbox does not support, by name.
func ReadRoutine(raw []byte) (*Routine, *apierror.Error) {
	var known Routine
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&known); err != nil {
		if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return nil, apierror.Unsupported("a routine with " + strings.Trim(field, `"`))
		}
		return nil, apierror.Errorf("parseError", "Invalid JSON payload received. %s", err)
	}
	return &known, nil
}

// DDL returns the statement that creates the routine.
func (r *Routine) DDL(words, name string) (string, *apierror.Error) {
	if r.Language != "" && r.Language != "SQL" {
		return "", apierror.Unsupported("routines in another language than SQL")
	}
	var args []string
	for _, a := range r.Arguments {
		text := "ANY TYPE"
		if a.Kind != "ANY_TYPE" {
			var err *apierror.Error
			if text, err = a.Type.text(); err != nil {
				return "", err
			}
		}
		args = append(args, strings.TrimSpace(a.Mode+" "+googlesql.QuoteName(a.Name)+" "+text))
	}
	list := "(" + strings.Join(args, ", ") + ")"
	options := ""
	if r.Description != "" {
		options = " OPTIONS(description=" + googlesql.StringLiteral(r.Description) + ")"
	}
	switch r.RoutineType {
	case "SCALAR_FUNCTION":
		returns := ""
		if r.ReturnType != nil {
			t, err := r.ReturnType.text()
			if err != nil {
				return "", err
			}
			returns = " RETURNS " + t
		}
		return words + " FUNCTION " + name + list + returns + " AS (" + r.Body + ")" + options, nil
	case "TABLE_VALUED_FUNCTION":
		if r.ReturnTableType != nil {
			return "", apierror.Unsupported("a routine with returnTableType")
		}
		return words + " TABLE FUNCTION " + name + list + options + " AS " + r.Body, nil
	case "PROCEDURE":
		if r.StrictMode != nil && !*r.StrictMode {
			options = strings.TrimSuffix(options, ")")
			if options == "" {
				options = " OPTIONS("
			} else {
				options += ", "
			}
			options += "strict_mode=FALSE)"
		}
		return words + " PROCEDURE " + name + list + options + " " + r.Body, nil
	}
	return "", apierror.Errorf("required", "Required parameter is missing: routineType")
}
