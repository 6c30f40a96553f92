package fakebq

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// decoded sends a request and decodes the answer.
func decoded(t *testing.T, s *Server, method, path, body string) map[string]any {
	t.Helper()
	var status int
	var text string
	if method == http.MethodPost {
		status, text = post(t, s, path, body)
	} else {
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		status, text = do(t, r)
	}
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil || status != 200 {
		t.Fatalf("%s %s: got %d %s, %v", method, path, status, text, err)
	}
	return o
}

// TestShapes holds the answers of this fake to the table.
func TestShapes(t *testing.T) {
	t.Parallel()
	for _, shape := range Shapes() {
		t.Run(fmt.Sprint(shape.Type, " ", shape.Phase), func(t *testing.T) {
			t.Parallel()
			s := Run(t, Options{})
			answer := shape.Script()
			if shape.Phase == Incomplete || shape.Phase == Polled {
				answer.Incomplete = 1
			}
			if shape.Phase == Inserted {
				answer.Until = make(chan struct{})
			}
			s.On(shape.SQL, answer)
			quoted, err := json.Marshal(shape.SQL)
			if err != nil {
				t.Fatal(err)
			}
			body := fmt.Sprintf(`{"query":%s,"useLegacySql":false,"requestId":"r"}`, quoted)
			var got map[string]any
			switch shape.Phase {
			case Inserted:
				got = decoded(t, s, http.MethodPost, "/projects/p/jobs",
					fmt.Sprintf(`{"configuration":{"query":{"query":%s,"useLegacySql":false}}}`, quoted))
			default:
				got = decoded(t, s, http.MethodPost, "/projects/p/queries", body)
			}
			id := fmt.Sprint(lookUp(got, "jobReference.jobId"))
			switch shape.Phase {
			case Duplicate:
				got = decoded(t, s, http.MethodPost, "/projects/p/queries", body)
			case Polled:
				got = decoded(t, s, http.MethodGet, "/projects/p/queries/"+id, "")
			case Got:
				got = decoded(t, s, http.MethodGet, "/projects/p/jobs/"+id, "")
			}
			for _, wrong := range shape.Check(got) {
				t.Errorf("the answer %s: %v", wrong, got)
			}
		})
	}
}

// TestShapesTellWrongAnswers: the check is one that can fail.
func TestShapesTellWrongAnswers(t *testing.T) {
	t.Parallel()
	for _, shape := range Shapes() {
		if len(shape.Check(map[string]any{"jobComplete": shape.Phase == Incomplete})) == 0 {
			t.Errorf("%s %s: an empty answer is taken", shape.Type, shape.Phase)
		}
	}
}
