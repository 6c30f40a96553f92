package driver

import (
	"context"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// Progress describes how far a running statement is.
type Progress struct {
	JobID          string
	State          string        // PENDING or RUNNING
	Elapsed        time.Duration // since the statement was sent
	Stages         int           // stages of BigQuery's plan, which can still grow; 0 before there is a plan
	StagesDone     int
	BytesProcessed int64 // so far
}

type progressKey struct{}

// progressHold is how long BigQuery holds a request of WithProgress.
const progressHold = time.Second

// WithProgress returns a context whose statement calls tell about once a second while it runs, on the
// goroutine that runs it. Each call takes a request. A statement that ends within a second makes no
// call.
func WithProgress(ctx context.Context, tell func(Progress)) context.Context {
	return context.WithValue(ctx, progressKey{}, tell)
}

func progressOf(ctx context.Context) func(Progress) {
	tell, _ := ctx.Value(progressKey{}).(func(Progress))
	return tell
}

// progress returns the Progress of a job.
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
