package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

type numbered struct {
	I int
	S string
}

func numberedFields() []fakebq.Field {
	return []fakebq.Field{{Name: "i", Type: "INTEGER"}, {Name: "s", Type: "STRING"}}
}

// numberedRows yields n rows, of some 1,000 bytes each.
func numberedRows(n int, after error) func(func(numbered, error) bool) {
	text := strings.Repeat("x", 1000)
	return func(yield func(numbered, error) bool) {
		for i := range n {
			if !yield(numbered{i, text}, nil) {
				return
			}
		}
		if after != nil {
			yield(numbered{}, after)
		}
	}
}

// faults are those of the calls of the methods.
type faults map[fakebq.Method][]fakebq.StreamFault

// inOrder says what is wrong with the rows of the table; "" if nothing is.
func inOrder(server *fakebq.Server, want int) string {
	rows := server.TableRows(table)
	for i, row := range rows {
		if row[0] != int64(i) {
			return fmt.Sprintf("row %d is %v", i, row[0])
		}
	}
	if len(rows) != want {
		return fmt.Sprintf("%d rows; want %d", len(rows), want)
	}
	return ""
}

// TestFaults: whatever breaks, each row is written once, in order, or none is.
func TestFaults(t *testing.T) {
	t.Parallel()
	const rows = 10_000 // some ten requests
	gone := fakebq.StreamFault{Code: codes.Unavailable, Message: "gone"}
	late := fakebq.StreamFault{Code: codes.Unavailable, Message: "gone", Late: true}
	after := func(f fakebq.StreamFault, n int) fakebq.StreamFault { f.After = n; return f }
	for _, tt := range []struct {
		name   string
		faults faults
		want   string // in the error; "" for none
	}{
		{"none", nil, ""},
		{"a stream that can't be opened", faults{fakebq.AppendRows: {gone, gone, gone}}, ""},
		{"a stream that breaks", faults{fakebq.AppendRows: {after(gone, 3), after(gone, 1)}}, ""},
		{"lost answers", faults{fakebq.AppendRows: {after(late, 2), late, after(late, 1)}}, ""},
		{"the stream's making", faults{fakebq.CreateWriteStream: {gone, late}}, ""},
		{"the end", faults{fakebq.FinalizeWriteStream: {gone, late}}, ""},
		{"the commit", faults{fakebq.BatchCommitWriteStreams: {gone, late, gone}}, ""},
		{"a refusal", faults{fakebq.AppendRows: {{Code: codes.PermissionDenied, Message: "no"}}}, "no"},
		{
			"a refused commit",
			faults{fakebq.BatchCommitWriteStreams: {{Code: codes.PermissionDenied, Message: "no"}}},
			"no (PermissionDenied)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			for m, faults := range tt.faults {
				server.InjectStream(m, faults...)
			}
			db, _ := open(t, server)
			var last bulk.Progress
			result, err := bulk.Append(t.Context(), db, "t", numberedRows(rows, nil), bulk.WithProgress(func(p bulk.Progress) {
				if p.Rows <= last.Rows || p.Bytes <= last.Bytes {
					t.Errorf("got %+v after %+v", p, last)
				}
				last = p
			}))
			want := rows
			if tt.want != "" {
				want = 0
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) ||
				result.Rows != int64(want) {
				t.Errorf("got %+v, %v; want %q", result, err, tt.want)
			}
			if problem := inOrder(server, want); problem != "" || tt.want == "" && last.Rows != rows {
				t.Errorf("%s; told of %d", problem, last.Rows)
			}
			server.WaitStreams(t)
		})
	}
}

// TestUnanswered: a call that is not answered on a connection that lives is made again.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: that takes 15 seconds")
	}
	const rows = 10
	for _, tt := range []struct {
		name   string
		method fakebq.Method
		opts   []bulk.Option
	}{
		{"the stream's making", fakebq.CreateWriteStream, nil},
		{"the making of a committed stream", fakebq.CreateWriteStream, []bulk.Option{bulk.Committed()}},
		{"the end", fakebq.FinalizeWriteStream, nil},
		{"the commit", fakebq.BatchCommitWriteStreams, nil},
		{"the rows", fakebq.AppendRows, nil},
		{"the rows of a committed stream", fakebq.AppendRows, []bulk.Option{bulk.Committed()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			server.InjectStream(tt.method, fakebq.StreamFault{Hang: make(chan struct{})})
			db, _ := open(t, server)
			result, err := bulk.Append(t.Context(), db, "t", numberedRows(rows, nil), tt.opts...)
			if problem := inOrder(server, rows); err != nil || result.Rows != rows || problem != "" {
				t.Errorf("got %+v, %v; %s", result, err, problem)
			}
			server.WaitStreams(t)
		})
	}
}

// TestUnansweredEnd: the end of a committed stream is not waited for: its rows are there.
func TestUnansweredEnd(t *testing.T) {
	t.Parallel()
	const rows, slow = 10, 20 * time.Second // of a busy machine
	server := serve(t, numberedFields()...)
	for range 20 {
		server.InjectStream(fakebq.FinalizeWriteStream, fakebq.StreamFault{Hang: make(chan struct{})})
	}
	db, _ := open(t, server)
	began := time.Now()
	result, err := bulk.Append(t.Context(), db, "t", numberedRows(rows, nil), bulk.Committed())
	if problem := inOrder(server, rows); err != nil || result.Rows != rows || problem != "" {
		t.Errorf("got %+v, %v; %s", result, err, problem)
	}
	if took := time.Since(began); took > slow {
		t.Errorf("it took %s", took)
	}
	server.WaitStreams(t)
}

// TestLostCommit: if nothing says what became of the commit, the outcome is unknown; if the stream can be asked, it is
// not.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	var lost []fakebq.StreamFault
	for range 20 {
		lost = append(lost, fakebq.StreamFault{Code: codes.Unavailable, Message: "gone", Late: true})
	}
	for _, tt := range []struct {
		name    string
		asked   []fakebq.StreamFault
		unknown bool
	}{
		{"the stream is asked", nil, false},
		{"it does not answer", lost, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			server.InjectStream(fakebq.BatchCommitWriteStreams, lost...)
			server.InjectStream(fakebq.GetWriteStream, tt.asked...)
			db, _ := open(t, server)
			_, err := bulk.Append(t.Context(), db, "t", numberedRows(10, nil))
			if errors.Is(err, driver.ErrOutcomeUnknown) != tt.unknown || (err == nil) == tt.unknown {
				t.Errorf("got %v; want unknown %v", err, tt.unknown)
			}
		})
	}
}

// TestSourceFails: an error of the caller's rows is returned as it is, and nothing is written; committed rows stay.
func TestSourceFails(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	for way, opts := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			db, _ := open(t, server)
			result, err := bulk.Append(t.Context(), db, "t", numberedRows(5000, mine), opts...)
			if err != mine {
				t.Errorf("got %v; want the error of the rows", err)
			}
			problem := inOrder(server, int(result.Rows))
			if way != "committed" && (problem != "" || result.Rows != 0) {
				t.Errorf("got %+v, %s", result, problem)
			}
			server.WaitStreams(t)
		})
	}
}

// TestSourcePanics: a panic of the caller's rows reaches the caller, and nothing of the writing is left.
func TestSourcePanics(t *testing.T) {
	t.Parallel()
	for way, opts := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			db, _ := open(t, server)
			rows := func(yield func(numbered, error) bool) {
				numberedRows(5000, nil)(yield)
				panic("mine")
			}
			func() {
				defer func() {
					if got := recover(); got != "mine" {
						t.Errorf("got the panic %v; want that of the rows", got)
					}
				}()
				_, err := bulk.Append(t.Context(), db, "t", rows, opts...)
				t.Errorf("got %v; want a panic", err)
			}()
			if n := len(server.TableRows(table)); way != "committed" && n != 0 {
				t.Errorf("got %d rows", n)
			}
			server.WaitStreams(t)
			if _, err := bulk.Append(t.Context(), db, "t", numberedRows(10, nil), opts...); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestCancel: the end of ctx ends the writing at once, also while BigQuery is silent, and leaves nothing open.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, m := range []fakebq.Method{fakebq.CreateWriteStream, fakebq.AppendRows, fakebq.FinalizeWriteStream,
		fakebq.BatchCommitWriteStreams} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			server := serve(t, numberedFields()...)
			server.InjectStream(m, fakebq.StreamFault{Hang: make(chan struct{})})
			db, _ := open(t, server)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				server.WaitFor(t, m, 1)
				cancel()
			}()
			_, err := bulk.Append(ctx, db, "t", numberedRows(20_000, nil))
			unknown := errors.Is(err, driver.ErrOutcomeUnknown)
			if !errors.Is(err, context.Canceled) || unknown != (m == fakebq.BatchCommitWriteStreams) {
				t.Errorf("got %v; want context.Canceled", err)
			}
			if n := len(server.TableRows(table)); n != 0 {
				t.Errorf("got %d rows", n)
			}
			server.WaitStreams(t)
		})
	}
}

// TestFallback: where the Write API can't be used, the rows go by a load job, and Stats say why.
func TestFallback(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.PermissionDenied, codes.Unimplemented} {
		server := serve(t, numberedFields()...)
		denied := fakebq.StreamFault{Code: code, Message: "not for you"}
		server.InjectStream(fakebq.CreateWriteStream, denied, denied)
		db, seen := open(t, server)
		result, err := bulk.Append(t.Context(), db, "t", numberedRows(20_000, nil)) // more than a chunk
		if err != nil || result.Rows != 20_000 || result.JobID == "" || result.Stream != "" || result.Fallback == nil {
			t.Errorf("%s: got %+v, %v", code, result, err)
		}
		s := seen.last()
		if s.WriteAPI != "load" || s.Fallback == nil || !strings.Contains(s.Fallback.Error(), "not for you") {
			t.Errorf("%s: got %+v", code, s)
		}
		if problem := inOrder(server, 20_000); problem != "" {
			t.Error(problem)
		}
		if _, err := bulk.Append(t.Context(), db, "t", numberedRows(1, nil), bulk.Committed()); err == nil ||
			!strings.Contains(err.Error(), "with bulk.Committed there is no load job") {
			t.Errorf("%s: got %v", code, err)
		}
	}
}

// TestNoRows: no rows are no error.
func TestNoRows(t *testing.T) {
	t.Parallel()
	for way, opts := range ways {
		server := serve(t, numberedFields()...)
		db, _ := open(t, server)
		if result, err := bulk.Append(t.Context(), db, "t", numberedRows(0, nil), opts...); err != nil || result.Rows != 0 {
			t.Errorf("%s: got %+v, %v", way, result, err)
		}
	}
}

// TestClosed: a closed database writes nothing.
func TestClosed(t *testing.T) {
	t.Parallel()
	server := serve(t, numberedFields()...)
	db, _ := open(t, server)
	db.Close()
	if _, err := bulk.Append(t.Context(), db, "t", numberedRows(1, nil)); err == nil {
		t.Error("got no error")
	}
}
