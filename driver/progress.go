package driver

import (
	"context"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// Progress is how far a statement that still runs has come.
type Progress struct {
	JobID          string
	State          string        // PENDING or RUNNING
	Elapsed        time.Duration // since the statement was sent
	Stages         int           // of BigQuery's plan, which can still grow; 0 before there is one
	StagesDone     int
	BytesProcessed int64 // so far
}

type progressKey struct{}

// progressHold is how long BigQuery holds a request for a statement whose progress is wanted.
const progressHold = time.Second

// WithProgress returns a context that makes a statement run with it tell how far it is: about once
// a second from its first second on until it ends, on the goroutine that runs it. Each time costs a
// request of its own. A statement that ends within a second tells nothing.
func WithProgress(ctx context.Context, tell func(Progress)) context.Context {
	return context.WithValue(ctx, progressKey{}, tell)
}

func progressOf(ctx context.Context) func(Progress) {
	tell, _ := ctx.Value(progressKey{}).(func(Progress))
	return tell
}

// progress is how far a job is.
func progress(job *bq.Job, id string, started time.Time) Progress {
	p := Progress{JobID: id, State: job.Status.State, Elapsed: time.Since(started)}
	if s := job.Statistics; s != nil {
		p.BytesProcessed = s.TotalBytesProcessed
		if s.Query != nil {
			p.BytesProcessed = max(p.BytesProcessed, s.Query.TotalBytesProcessed)
			p.Stages = len(s.Query.QueryPlan)
			for _, stage := range s.Query.QueryPlan {
				if stage.Status == "COMPLETE" {
					p.StagesDone++
				}
			}
		}
	}
	return p
}
