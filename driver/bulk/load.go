package bulk

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
	"unsafe"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// uploadChunk bounds how much of an upload is in memory.
const uploadChunk = 16 << 20

// load writes the rows with a load job. It uploads them as they come. They are all in the table
// when the job has succeeded.
func (t *task) load(ctx context.Context, location string) error {
	t.Location = location
	ref := &bq.JobReference{ProjectId: t.Project, JobId: t.JobIDPrefix + rand.Text(), Location: location}
	job := &bq.Job{JobReference: ref, Configuration: &bq.JobConfiguration{
		Labels: t.Labels,
		Load: &bq.JobConfigurationLoad{
			DestinationTable: t.table, SourceFormat: "NEWLINE_DELIMITED_JSON", WriteDisposition: "WRITE_APPEND",
			CreateDisposition: "CREATE_NEVER",
		},
	}}
	t.result.JobID = ref.JobId
	upload, cancel := context.WithCancel(ctx)
	defer cancel()
	r, pipe := io.Pipe()
	lines := &lines{t: t, out: bufio.NewWriterSize(pipe, 64<<10)}
	uploaded := make(chan error, 1)
	go func() {
		err := t.upload(upload, job, r)
		_ = r.CloseWithError(errUpload)
		uploaded <- err
	}()
	sourceErr := errPanicked
	finish := func() error {
		if sourceErr != nil {
			cancel() // ending the upload with the pipe would load the rows so far
		}
		_ = pipe.CloseWithError(sourceErr)
		return <-uploaded
	}
	defer func() {
		if sourceErr == errPanicked {
			_ = finish()
		}
	}()
	if sourceErr = t.source.each(lines); sourceErr == nil {
		sourceErr = lines.out.Flush()
	}
	err := finish()
	if sourceErr != nil && !errors.Is(sourceErr, errUpload) {
		return sourceErr // no job has started
	}
	if err == nil {
		err = t.await(ctx, ref)
	}
	if err != nil {
		return err
	}
	t.result.Rows, t.result.Bytes = lines.rows, lines.bytes
	return nil
}

// errUpload ends the rows after their upload has ended. errPanicked ends the upload after the rows have panicked.
var (
	errUpload   = errors.New("the upload has ended")
	errPanicked = errors.New("the rows have panicked")
)

// upload sends the rows, and starts the job with the last of them. It sends them once: if the answer is lost, only
// the job can be asked for.
func (t *task) upload(ctx context.Context, job *bq.Job, rows io.Reader) error {
	var sent error
	all := &toEnd{Reader: rows}
	err := t.Ask(ctx, func(ctx context.Context, s *bq.Service) error {
		_, sent = s.Jobs.Insert(t.Project, job).
			Media(all, googleapi.ContentType("application/octet-stream"), googleapi.ChunkSize(uploadChunk)).
			Context(ctx).Do()
		return nil
	})
	if err == nil {
		err = sent
	}
	ref, ended := job.JobReference, time.Now()
	api, isAnswer := errors.AsType[*googleapi.Error](err)
	switch {
	case err == nil, isAnswer && api.Code == http.StatusConflict: // the job is ours
		return nil
	case !all.ended, isAnswer && api.Code < http.StatusInternalServerError && api.Message != "": // no job has started
		return t.Failed(ctx, err, ref.JobId)
	}
	err = t.Ask(ctx, func(ctx context.Context, s *bq.Service) error {
		_, err := t.job(ctx, s, ref, ended)
		return err
	})
	api, isAnswer = errors.AsType[*googleapi.Error](err)
	switch {
	case err == nil:
		return nil
	case isAnswer && api.Code == http.StatusNotFound:
		return fmt.Errorf("bigqueryuser: the upload broke, and no load job has started: %w",
			t.Failed(ctx, sent, ref.JobId))
	}
	return t.lost(ctx, err, ref)
}

// toEnd is a reader that records whether it was read to its end.
type toEnd struct {
	io.Reader
	ended bool
}

func (r *toEnd) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.ended = err == io.EOF
	return n, err
}

// errNothing means that an answer can't be BigQuery's.
var errNothing = errors.New("the answer has nothing in it")

// youngLimit is how long a new job may be unknown to parts of BigQuery.
const youngLimit = 5 * time.Second

// job calls jobs.get for a job that can have begun at a time. It asks again for one that is not found yet.
func (t *task) job(ctx context.Context, s *bq.Service, ref *bq.JobReference, began time.Time) (*bq.Job, error) {
	for {
		job, err := s.Jobs.Get(ref.ProjectId, ref.JobId).Location(ref.Location).Context(ctx).Do()
		if err == nil && job == nil { // the answer null
			return nil, errNothing
		}
		api, ok := errors.AsType[*googleapi.Error](err)
		if !ok || api.Code != http.StatusNotFound || time.Since(began) > youngLimit {
			return job, err
		}
		if err := t.Pause(ctx, firstPause); err != nil {
			return nil, err
		}
	}
}

// await waits for the end of the job.
func (t *task) await(ctx context.Context, ref *bq.JobReference) error {
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		var job *bq.Job
		err := t.Ask(ctx, func(ctx context.Context, s *bq.Service) (err error) {
			job, err = t.job(ctx, s, ref, began)
			return err
		})
		if err != nil {
			return t.lost(ctx, err, ref)
		}
		if job.Status != nil && job.Status.State == "DONE" {
			return t.ended(ctx, job)
		}
		if err := t.Pause(ctx, pause); err != nil {
			return t.lost(ctx, err, ref)
		}
	}
}

// cancelLimit bounds the request that cancels a job whose context has ended.
const cancelLimit = 5 * time.Second

// lost cancels a job whose outcome is unknown, because its answers were lost, and returns the caller's error.
func (t *task) lost(ctx context.Context, err error, ref *bq.JobReference) error {
	bg, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelLimit)
	defer cancel()
	_ = t.Ask(bg, func(ctx context.Context, s *bq.Service) error {
		_, err := s.Jobs.Cancel(ref.ProjectId, ref.JobId).Location(ref.Location).Context(ctx).Do()
		return err
	})
	return t.Unknown(t.Failed(ctx, err, ref.JobId))
}

// ended returns the error of a job that has ended.
func (t *task) ended(ctx context.Context, job *bq.Job) error {
	failed := job.Status.ErrorResult
	if failed == nil {
		return nil
	}
	return t.Failed(ctx, &googleapi.Error{
		Code: http.StatusBadRequest, Message: failed.Message,
		Errors: []googleapi.ErrorItem{{Reason: failed.Reason, Message: failed.Message}},
	}, job.JobReference.JobId)
}

// lines writes rows as lines of JSON.
type lines struct {
	t       *task
	out     *bufio.Writer
	message []byte
	line    []byte
	rows    int64
	bytes   int64
}

func (l *lines) row(e encoder, p unsafe.Pointer) (err error) {
	if l.message, err = encodeRow(l.message[:0], e, p); err != nil {
		return rowError(l.rows, err)
	}
	present := l.t.source.present
	has := func(i int) bool { return present[i] }
	if l.line, err = appendJSON(l.line[:0], l.t.columns, l.message, has); err != nil {
		return rowError(l.rows, err)
	}
	l.rows++
	l.bytes += int64(len(l.line)) + 1
	if _, err = l.out.Write(append(l.line, '\n')); err == nil && l.t.opts.progress != nil && l.rows%1000 == 0 {
		l.t.opts.progress(Progress{l.rows, l.bytes})
	}
	return err
}
