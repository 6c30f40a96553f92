package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
)

// TestRoutineResources: functions and procedures by the official client's methods.
func TestRoutineResources(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d",
		"CREATE FUNCTION d.twice(x INT64) RETURNS INT64 AS (x * 2) OPTIONS(description='twice as much')",
		"CREATE FUNCTION d.any(x ANY TYPE, s STRUCT<a ARRAY<STRING>>) AS (x)",
		"CREATE TABLE FUNCTION d.above(n INT64) AS SELECT x FROM UNNEST([1, 2, 3]) AS x WHERE x > n",
		"CREATE PROCEDURE d.inc(IN step INT64, INOUT total INT64) BEGIN SET total = total + step; END")
	c := official(t, s, tok, DefaultProject)
	d := c.Dataset("d")
	var ids []string
	for it := d.Routines(t.Context()); ; {
		r, err := it.Next()
		if err == iterator.Done {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.RoutineID)
	}
	if want := []string{"above", "any", "inc", "twice"}; !slices.Equal(ids, want) {
		t.Errorf("got the routines %v; want %v", ids, want)
	}
	md, err := d.Routine("twice").Metadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if md.Type != "SCALAR_FUNCTION" || md.Language != "SQL" || md.Body != "x * 2" ||
		md.Description != "twice as much" || len(md.Arguments) != 1 || md.Arguments[0].Name != "x" || md.Arguments[0].DataType.TypeKind != "INT64" ||
		md.ReturnType.TypeKind != "INT64" || md.CreationTime.IsZero() || md.LastModifiedTime.IsZero() || md.ETag == "" {
		t.Errorf("got twice as %+v", md)
	}
	if md, err = d.Routine("any").Metadata(t.Context()); err != nil {
		t.Fatal(err)
	}
	if field := md.Arguments[1].DataType.StructType.Fields[0]; md.Arguments[0].Kind != "ANY_TYPE" ||
		field.Name != "a" || field.Type.ArrayElementType.TypeKind != "STRING" || md.ReturnType != nil {
		t.Errorf("got any as %+v", md)
	}
	if md, err = d.Routine("inc").Metadata(t.Context()); err != nil || md.Type != "PROCEDURE" ||
		md.Arguments[1].Mode != "INOUT" {
		t.Errorf("got inc as %+v, %v", md, err)
	}
	made := d.Routine("made")
	err = made.Create(t.Context(), &bigquery.RoutineMetadata{Type: "SCALAR_FUNCTION", Language: "SQL",
		Body: "ARRAY_LENGTH(xs) + y", Description: "made by a method",
		Arguments: []*bigquery.RoutineArgument{
			{Name: "xs", DataType: &bigquery.StandardSQLDataType{TypeKind: "ARRAY",
				ArrayElementType: &bigquery.StandardSQLDataType{TypeKind: "STRING"}}},
			{Name: "y", DataType: &bigquery.StandardSQLDataType{TypeKind: "INT64"}}},
		ReturnType: &bigquery.StandardSQLDataType{TypeKind: "FLOAT64"}})
	if err != nil {
		t.Fatal(err)
	}
	q := newClient(t, s, DefaultAccount)
	if got := q.value("SELECT d.made(['a', 'b'], 1)"); got != "3.0" {
		t.Errorf("got %s of the function that was made; want 3.0", got)
	}
	if md, err = made.Metadata(t.Context()); err != nil {
		t.Fatal(err)
	}
	md, err = made.Update(t.Context(), &bigquery.RoutineMetadataToUpdate{Body: "y * 10", Type: md.Type,
		Language: md.Language, Arguments: md.Arguments}, md.ETag)
	if err != nil || md.Body != "y * 10" {
		t.Errorf("after the update: got %+v, %v", md, err)
	}
	if got := q.value("SELECT d.made(['a', 'b'], 1)"); got != "10" {
		t.Errorf("got %s of the function that was changed; want 10", got)
	}
	for _, id := range []string{"made", "inc", "above"} {
		if err := d.Routine(id).Delete(t.Context()); err != nil {
			t.Errorf("delete %s: %v", id, err)
		}
	}
	_, err = made.Metadata(t.Context())
	if e, ok := errors.AsType[*googleapi.Error](err); !ok || e.Code != http.StatusNotFound {
		t.Errorf("after the delete: got %v; want 404", err)
	}
	const path = "/bigquery/v2/projects/" + DefaultProject + "/datasets/d/routines"
	for _, tt := range []struct{ name, body, want string }{
		{"JavaScript", `{"routineReference":{"routineId":"j"},"routineType":"SCALAR_FUNCTION","language":"JAVASCRIPT"}`,
			"does not support routines in another language than SQL"},
		{"a type that is none", `{"routineReference":{"routineId":"j"},"routineType":"SCALAR_FUNCTION",` +
			`"arguments":[{"name":"x","dataType":{"typeKind":"NOPE"}}]}`, "typeKind"},
		{"no type", `{"routineReference":{"routineId":"j"}}`, "routineType"},
		{"taken", `{"routineReference":{"routineId":"twice"},"routineType":"SCALAR_FUNCTION","definitionBody":"1"}`,
			"Already Exists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, _, got := call(t, s, tok.AccessToken, http.MethodPost, path, tt.body)
			e, _ := got["error"].(map[string]any)
			if message, _ := e["message"].(string); status < 400 || !strings.Contains(message, tt.want) {
				t.Errorf("got %d %v; want %q", status, got, tt.want)
			}
		})
	}
}
