package fakebq

import (
	"context"
	"errors"
	"testing"
	"time"

	client "cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
)

// These tests read the fake with the hand-written official client, which is
// stricter about some members than the generated one.

func TestOfficialClientReadsPages(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := numbers(7)
	a.PageSize, a.EmptyPages = 2, []int{2}
	s.On("SELECT i", a)
	c := official(t, s)
	for _, tc := range []struct {
		name string
		run  func(*client.Query) (*client.RowIterator, error)
	}{
		{"jobs.query", func(q *client.Query) (*client.RowIterator, error) { return q.Read(context.Background()) }},
		{"jobs.insert", func(q *client.Query) (*client.RowIterator, error) {
			job, err := q.Run(context.Background())
			if err != nil {
				return nil, err
			}
			return job.Read(context.Background())
		}},
	} {
		it, err := tc.run(c.Query("SELECT i"))
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		for i := int64(0); ; i++ {
			var row []client.Value
			err := it.Next(&row)
			if errors.Is(err, iterator.Done) {
				if i != 7 || it.TotalRows != 7 {
					t.Errorf("%s: got %d rows of %d; want 7", tc.name, i, it.TotalRows)
				}
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			if row[0] != i {
				t.Errorf("%s: row %d: got %v", tc.name, i, row[0])
			}
		}
	}
}

func TestOfficialClientDryRun(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Bytes = 42
	s.On("SELECT people", a)
	q := official(t, s).Query("SELECT people")
	q.DryRun = true
	job, err := q.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	stats, ok := job.LastStatus().Statistics.Details.(*client.QueryStatistics)
	if !ok || !job.LastStatus().Done() || stats.TotalBytesProcessed != 42 || len(stats.Schema) != 2 ||
		stats.StatementType != "SELECT" {
		t.Errorf("got %+v; want 42 bytes and two columns", stats)
	}
}

func TestOfficialClientCancels(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Until = make(chan struct{})
	s.On("SELECT slow", a)
	ctx := context.Background()
	job, err := official(t, s).Query("SELECT slow").Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if job.LastStatus().State != client.Running {
		t.Errorf("got state %v; want Running", job.LastStatus().State)
	}
	if err := job.Cancel(ctx); err != nil {
		t.Fatal(err)
	}
	status, err := job.Status(ctx)
	for err == nil && !status.Done() {
		status, err = job.Status(ctx)
	}
	if err != nil || !status.Done() {
		t.Fatalf("got %+v, %v; want DONE", status, err)
	}
	if e, ok := errors.AsType[*client.Error](status.Err()); !ok || e.Reason != "stopped" {
		t.Errorf("got %+v, %v; want DONE with reason stopped", status, err)
	}
}

func TestOfficialClientStatistics(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	s := Run(t, Options{Now: func() time.Time { return now }})
	s.On("MERGE", Answer{StatementType: "MERGE", DML: &DML{Inserted: 1, Updated: 2, Deleted: 3}, Bytes: 10, Billed: 20,
		SlotMillis: 30})
	ctx := context.Background()
	job, err := official(t, s).Query("MERGE").Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	status, err := job.Wait(ctx)
	if err != nil || status.Err() != nil {
		t.Fatalf("got %+v, %v", status, err)
	}
	q, ok := status.Statistics.Details.(*client.QueryStatistics)
	if !ok || q.NumDMLAffectedRows != 6 || *q.DMLStats != (client.DMLStatistics{InsertedRowCount: 1, UpdatedRowCount: 2,
		DeletedRowCount: 3}) ||
		q.TotalBytesBilled != 20 || q.SlotMillis != 30 || !status.Statistics.EndTime.Equal(now) {
		t.Errorf("got %+v; want the numbers of the script", status.Statistics)
	}
}
