package fakebq

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	bigquery "google.golang.org/api/bigquery/v2"
)

// numbers is a result with n rows 0, 1, 2...
func numbers(n int) Answer {
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = []any{i}
	}
	return Answer{Fields: []Field{{Name: "i", Type: "INTEGER"}}, Rows: rows}
}

// readAll reads a statement to its end and gives the first column and the sizes
// of the pages.
func readAll(t *testing.T, svc *bigquery.Service, q *bigquery.QueryRequest) (values []string, sizes []int,
	total uint64) {
	t.Helper()
	first, err := svc.Jobs.Query("p", q).Do()
	if err != nil {
		t.Fatal(err)
	}
	rows, token := first.Rows, first.PageToken
	for {
		sizes = append(sizes, len(rows))
		for _, r := range rows {
			values = append(values, fmt.Sprint(r.F[0].V))
		}
		if token == "" {
			return values, sizes, first.TotalRows
		}
		call := svc.Jobs.GetQueryResults("p", first.JobReference.JobId).PageToken(token).FormatOptionsUseInt64Timestamp(
			true)
		if q.MaxResults > 0 {
			call.MaxResults(q.MaxResults)
		}
		page, err := call.Do()
		if err != nil {
			t.Fatal(err)
		}
		if page.TotalRows != first.TotalRows || page.Schema == nil {
			t.Errorf("a later page has %d rows in total and schema %v; want %d and the schema", page.TotalRows,
				page.Schema, first.TotalRows)
		}
		rows, token = page.Rows, page.PageToken
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	edit := func(a Answer, f func(*Answer)) Answer { f(&a); return a }
	for _, tc := range []struct {
		name       string
		answer     Answer
		maxResults int64
		sizes      []int
		rows       int
	}{
		{"one page", numbers(3), 0, []int{3}, 3},
		{"no rows", numbers(0), 0, []int{0}, 0},
		{"maxResults", numbers(5), 2, []int{2, 2, 1}, 5},
		{"maxResults divides", numbers(4), 2, []int{2, 2}, 4},
		{"maxResults is one page", numbers(4), 4, []int{4}, 4},
		{"page size", edit(numbers(5), func(a *Answer) { a.PageSize = 2 }), 0, []int{2, 2, 1}, 5},
		{"smaller wins", edit(numbers(5), func(a *Answer) { a.PageSize = 2 }), 3, []int{2, 2, 1}, 5},
		{"empty pages", edit(numbers(4), func(a *Answer) { a.PageSize, a.EmptyPages = 2, []int{0, 1} }), 0,
			[]int{0, 2, 0, 2}, 4},
		{"repeated", edit(numbers(2), func(a *Answer) { a.Repeat = 3 }), 0, []int{6}, 6},
		{"repeated, in pages", edit(numbers(3), func(a *Answer) { a.Repeat = 3 }), 4, []int{4, 4, 1}, 9},
		// A row is {"f":[{"v":"0"}]} and a comma.
		{"page bytes", edit(numbers(5), func(a *Answer) { a.PageBytes = 59 }), 0, []int{3, 2}, 5},
		{"page bytes, repeated", edit(numbers(2), func(a *Answer) { a.Repeat, a.PageBytes = 3, 79 }), 0, []int{4, 2}, 6},
		{"page bytes for less than a row", edit(numbers(2), func(a *Answer) { a.PageBytes = 1 }), 2, []int{1, 1}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := Run(t, Options{})
			s.On("SELECT i", tc.answer)
			q := googleSQL("SELECT i")
			q.MaxResults = tc.maxResults
			values, sizes, total := readAll(t, rest(t, s), q)
			if !slices.Equal(sizes, tc.sizes) || int(total) != tc.rows {
				t.Errorf("got pages %v of %d rows; want %v of %d", sizes, total, tc.sizes, tc.rows)
			}
			for i, v := range values {
				if want := fmt.Sprint(i % max(len(tc.answer.Rows), 1)); v != want {
					t.Errorf("row %d: got %s; want %s", i, v, want)
				}
			}
			if s.Count() != len(sizes) || s.Executions("SELECT i") != 1 {
				t.Errorf("got %d requests and %d executions; want %d and 1", s.Count(), s.Executions("SELECT i"),
					len(sizes))
			}
		})
	}
}

func TestPageEndsAtTenMegabytes(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	wide := strings.Repeat("x", 1<<20)
	table, err := NewTable([]Field{{Name: "s", Type: "STRING"}}, 25, func(i int) []any { return []any{wide} })
	if err != nil {
		t.Fatal(err)
	}
	s.On("SELECT s", Answer{Table: table})
	q := googleSQL("SELECT s")
	q.MaxResults = 1000
	_, sizes, _ := readAll(t, rest(t, s), q)
	if want := []int{9, 9, 7}; !slices.Equal(sizes, want) {
		t.Errorf("got pages %v; want %v", sizes, want)
	}
}

func TestPageParameters(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT i", numbers(5))
	s.On("SELECT other", numbers(5))
	svc := rest(t, s)
	first, err := svc.Jobs.Query("p", googleSQL("SELECT i")).Do()
	if err != nil {
		t.Fatal(err)
	}
	id := first.JobReference.JobId

	page, err := svc.Jobs.GetQueryResults("p", id).StartIndex(3).Do()
	if err != nil || len(page.Rows) != 2 || page.Rows[0].F[0].V != "3" {
		t.Errorf("startIndex=3: got %d rows, %v; want rows 3 and 4", len(page.Rows), err)
	}
	page, err = svc.Jobs.GetQueryResults("p", id).MaxResults(0).Do()
	if err != nil || len(page.Rows) != 0 || page.TotalRows != 5 {
		t.Errorf("maxResults=0: got %d rows of %d, %v; want 0 of 5", len(page.Rows), page.TotalRows, err)
	}
	_, err = svc.Jobs.GetQueryResults("p", id).PageToken("no-token").Do()
	wantError(t, err, 400, "invalid")

	q := googleSQL("SELECT other")
	q.MaxResults = 1
	other, err := svc.Jobs.Query("p", q).Do()
	if err != nil {
		t.Fatal(err)
	}
	_, err = svc.Jobs.GetQueryResults("p", id).PageToken(other.PageToken).Do()
	wantError(t, err, 400, "invalid") // the token of another job
}

// TestStartIndex: any row can be the first of a page, which then ends as any page does, and its token is of the rows
// after it.
func TestStartIndex(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := numbers(4)
	a.Repeat, a.PageBytes = 3, 100
	s.On("SELECT i", a)
	svc := rest(t, s)
	first, err := svc.Jobs.Query("p", googleSQL("SELECT i")).Do()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		start uint64
		limit int64
		want  string
		more  bool
	}{
		{0, 2, "[0 1]", true},
		{3, 4, "[3 0 1 2]", true},
		{3, 10, "[3 0 1 2 3]", true},
		{6, 10, "[2 3 0 1 2]", true},
		{8, 4, "[0 1 2 3]", false},
		{11, 4, "[3]", false},
		{12, 4, "[]", false},
	} {
		call := svc.Jobs.GetQueryResults("p", first.JobReference.JobId).StartIndex(tt.start).MaxResults(tt.limit)
		page, err := call.Do()
		if err != nil {
			t.Fatal(err)
		}
		got := []any{}
		for _, r := range page.Rows {
			got = append(got, r.F[0].V)
		}
		if fmt.Sprint(got) != tt.want || (page.PageToken != "") != tt.more || page.TotalRows != 12 {
			t.Errorf("%d rows from %d on: got %v of %d, more: %t; want %s, more: %t", tt.limit, tt.start, got,
				page.TotalRows, page.PageToken != "", tt.want, tt.more)
		}
		if page.PageToken == "" {
			continue
		}
		after, err := svc.Jobs.GetQueryResults("p", first.JobReference.JobId).PageToken(page.PageToken).Do()
		if want := fmt.Sprint((int(tt.start) + len(got)) % 4); err != nil || after.Rows[0].F[0].V != want {
			t.Errorf("the page after %d rows from %d on begins with %v, %v; want %s", len(got), tt.start,
				after.Rows[0].F[0].V, err, want)
		}
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	const latency = 20 * time.Millisecond
	s := Run(t, Options{Latency: latency})
	s.On("SELECT i", numbers(1))
	svc := rest(t, s)
	began := time.Now()
	if _, err := svc.Jobs.Query("p", googleSQL("SELECT i")).Do(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < latency {
		t.Errorf("got an answer after %v; want it after %v", took, latency)
	}
}
