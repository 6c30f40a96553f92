package googlesql_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// TestAnswers runs testdata/answers*.txt. Each case is a query, a line of "--" and the rows;
// cases are parted by a line of "==". A last line "error: text" expects an error in execution,
// "refused: text" one in translation.
func TestAnswers(t *testing.T) {
	db, cat := open(t)
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "answers") {
			continue
		}
		for _, c := range readCases(t, "testdata/"+f.Name()) {
			n++
			t.Run(f.Name()+"/"+short(c.query), func(t *testing.T) {
				st, err := googlesql.Translate(c.query, options(cat))
				if msg, ok := strings.CutPrefix(c.want, "refused: "); ok {
					if err == nil || !strings.Contains(err.Error(), msg) {
						t.Fatalf("%s\ngot %v; want refusal %q", c.query, err, msg)
					}
					return
				}
				if err != nil {
					t.Fatalf("%s\n%v", c.query, err)
				}
				debug(t, st.SQL)
				got, err := run(db, st)
				if msg, ok := strings.CutPrefix(c.want, "error: "); ok {
					if err == nil || !strings.Contains(err.Error(), msg) {
						t.Fatalf("%s\ngot %q, %v; want error %q", c.query, got, err, msg)
					}
					return
				}
				if err != nil {
					t.Fatalf("%s\n%s\n%v", c.query, st.SQL, err)
				}
				if got != c.want {
					t.Errorf("%s\n%s\ngot\n%s\nwant\n%s", c.query, st.SQL, got, c.want)
				}
			})
		}
	}
	if n < 20 {
		t.Fatalf("got %d cases; want more", n)
	}
}

type testCase struct{ query, want string }

func readCases(t *testing.T, path string) []testCase {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []testCase
	var query, want []string
	inWant := false
	flush := func() {
		if inWant {
			cases = append(cases, testCase{strings.Join(query, "\n"), strings.Join(want, "\n")})
		}
		query, want, inWant = nil, nil, false
	}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		switch line := sc.Text(); {
		case line == "==":
			flush()
		case line == "--" && !inWant:
			inWant = true
		case inWant:
			want = append(want, line)
		default:
			query = append(query, line)
		}
	}
	flush()
	return cases
}

func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 60 {
		s = s[:60]
	}
	return strings.ReplaceAll(s, "/", "÷")
}
