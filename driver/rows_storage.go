package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/iterator"
)

// maxBreaks is how often a stream may break without returning a row in between.
const maxBreaks = 5

// storageRows reads the rows of a finished job through the Storage Read API. Ordered results are read over
// one stream, which starts after the first page. Unordered results are read over several streams, and the
// first page is dropped, because its rows can be in any of them. Until a stream has returned a row, the
// rows can still be read over REST.
type storageRows struct {
	ctx     context.Context // of the streams: the first one that fails ends the others
	stop    context.CancelFunc
	run     *runner
	storage *storage
	rest    *jsonPages // at its first page
	ref     *bq.JobReference
	columns []column
	fields  []*bq.TableFieldSchema
	ordered bool
	tell    func(readAPI string, fallback error) // records how the rows were read

	next   func() (*batch, error) // Next: first, opened, received or the rest's Next, in this order
	total  int64                  // rows of the result
	given  int64                  // rows returned
	opened chan opening
	out    chan *batch // runs of the streams; closed after the last one
	last   *batch      // the last run of out that was returned
	spares spares
	work   sync.WaitGroup

	mu     sync.Mutex
	failed error // the error of the first stream that failed
}

// opening is the result of opening a read session.
type opening struct {
	session *storagepb.ReadSession
	err     error
}

// newStorageRows starts to open a read session. The first page can be read meanwhile.
func newStorageRows(rest *jsonPages, s *storage, pg *page, ordered bool, tell func(string, error)) *storageRows {
	r := &storageRows{
		run:     rest.run,
		storage: s,
		rest:    rest,
		ref:     pg.JobReference,
		columns: rest.columns,
		fields:  pg.Schema.Fields,
		ordered: ordered,
		tell:    tell,
		total:   int64(pg.TotalRows),
		opened:  make(chan opening, 1),
	}
	r.next = r.begin
	if ordered {
		r.next = r.first
	}
	r.ctx, r.stop = context.WithCancel(rest.ctx)
	r.work.Go(func() {
		session, err := r.open(r.ctx)
		r.opened <- opening{session, err}
	})
	return r
}

func (r *storageRows) Next() (*batch, error) { return r.next() }

func (r *storageRows) Close() error {
	r.stop()
	if r.out != nil {
		for range r.out { // until the streams have ended
		}
	}
	r.work.Wait()
	return r.rest.Close()
}

// open finds the table of the result and opens a read session for it.
func (r *storageRows) open(ctx context.Context) (*storagepb.ReadSession, error) {
	if r.total <= 0 {
		return nil, errors.New(
			"BigQuery's answer has no number of rows, so missing rows would not be noticed",
		)
	}
	job, err := ask(ctx, r.run.backend, func(cl *client) (*bq.Job, error) { return cl.job(ctx, r.ref) })
	if err != nil {
		return nil, err
	}
	if job.Configuration == nil || job.Configuration.Query == nil || job.Configuration.Query.DestinationTable == nil {
		return nil, errors.New("BigQuery's answer has no table with the result of the job")
	}
	if job.Configuration.Query.WriteDisposition == "WRITE_APPEND" {
		return nil, errors.New("the table of the result also has rows from before the statement")
	}
	streams := streamCount()
	if r.ordered {
		streams = 1
	}
	session, err := r.storage.createSession(ctx, job.Configuration.Query.DestinationTable, streams, r.rest.format)
	if err == nil && r.ordered && len(session.Streams) > 1 {
		err = fmt.Errorf("the Storage Read API opened %d streams instead of one", len(session.Streams))
	}
	return session, err
}

// first returns the first page.
func (r *storageRows) first() (*batch, error) {
	b, err := r.rest.inPage()
	if err != nil {
		return nil, err
	}
	if b != nil {
		r.given += int64(b.rows)
		return b, nil
	}
	r.next = r.begin
	return r.next()
}

// begin waits for the session and starts its streams.
func (r *storageRows) begin() (*batch, error) {
	o := <-r.opened
	if o.err != nil {
		return r.fallBack(o.err)
	}
	r.out = make(chan *batch, 2*len(o.session.Streams))
	r.spares = make(spares, cap(r.out)+len(o.session.Streams))
	var streams sync.WaitGroup
	for _, stream := range o.session.Streams {
		streams.Go(func() {
			if err := r.stream(stream.Name, o.session.GetArrowSchema().GetSerializedSchema(), r.startAt()); err != nil {
				r.fail(err)
			}
		})
	}
	r.work.Go(func() {
		streams.Wait()
		close(r.out)
	})
	r.next = r.received
	return r.next()
}

// startAt returns the row at which the streams start.
func (r *storageRows) startAt() int64 {
	if r.ordered {
		return r.given
	}
	return 0
}

// fallBack continues over REST, after the first page or from the start.
func (r *storageRows) fallBack(err error) (*batch, error) {
	if r.rest.ctx.Err() != nil {
		return nil, r.rest.ctx.Err()
	}
	r.storage.refuse(err)
	r.tell("rest", r.storageError(err))
	r.next = r.rest.Next
	return r.next()
}

// received returns runs of the streams.
func (r *storageRows) received() (*batch, error) {
	r.spares.put(r.last)
	b, ok := <-r.out
	if r.last = b; ok {
		if !r.streamed() {
			r.tell("storage", nil)
			r.rest.page = nil // the run is no longer used
		}
		if r.given += int64(b.rows); r.given > r.total {
			return nil, r.storageError(r.miscounted())
		}
		return b, nil
	}
	r.mu.Lock()
	err := r.failed
	r.mu.Unlock()
	if err == nil && r.given != r.total {
		err = r.miscounted()
	}
	switch {
	case err == nil:
		return nil, iterator.Done
	case !r.streamed():
		return r.fallBack(err)
	}
	return nil, r.storageError(err)
}

// storageError returns the caller's error for an error of the Storage Read API.
func (r *storageRows) storageError(err error) error {
	err = translateStorage(r.rest.ctx, err, r.run.cfg.Project, r.ref)
	r.run.note(r.rest.ctx, err)
	return err
}

func (r *storageRows) miscounted() error {
	return fmt.Errorf("the result has %d rows, but the Storage Read API sent %d", r.total, r.given)
}

// streamed reports whether a stream has returned a row; otherwise all rows are of the first page.
func (r *storageRows) streamed() bool { return r.given > r.rest.rows }

// fail ends all streams after the error of one.
func (r *storageRows) fail(err error) {
	r.mu.Lock()
	if r.failed == nil {
		r.failed = err
	}
	r.mu.Unlock()
	r.stop()
}

// stream reads one stream from a row to its end, and reopens it if it breaks.
func (r *storageRows) stream(name string, schema []byte, offset int64) error {
	reader, err := newArrowReader(r.columns, r.fields, schema, r.spares, r.rest.target)
	if err != nil {
		return err
	}
	defer reader.close()
	renewed := false
	for breaks, pause := 0, firstPause; ; pause = min(2*pause, maxPause) {
		from := offset
		token, err := r.read(reader, name, &offset)
		renewed = renewed && offset == from
		switch {
		case err == nil:
			return nil
		case r.ctx.Err() != nil:
			return r.ctx.Err()
		case r.storage.refusedToken(err, token) && !renewed:
			renewed = true
			continue
		case !resumable(err):
			return err
		}
		if breaks++; offset > from {
			breaks, pause = 1, firstPause
		}
		if breaks > maxBreaks {
			return err
		}
		cl, clientErr := r.run.backend.clientFor(r.ctx)
		if clientErr != nil {
			return clientErr
		}
		if sleep(r.ctx, cl.pause(pause)) != nil {
			return r.ctx.Err()
		}
	}
}

// read reads a stream from offset until it ends or breaks. It advances offset with every run.
func (r *storageRows) read(reader *arrowReader, name string, offset *int64) (token string, err error) {
	ctx, stop := context.WithCancel(r.ctx)
	defer stop() // ends a stream that is left early
	silence := time.AfterFunc(silenceLimit, stop)
	defer silence.Stop()
	rows, token, err := r.storage.readRows(ctx, name, *offset, reader.kept())
	if err != nil {
		return token, err
	}
	for {
		silence.Reset(silenceLimit)
		message, err := rows.Recv()
		silence.Stop()
		if errors.Is(err, io.EOF) {
			return token, nil
		}
		if err != nil {
			return token, err
		}
		if len(message.batch) == 0 && message.rows == 0 {
			continue // a message with progress only
		}
		record, err := reader.record(message.batch, message.rows)
		if err != nil {
			return token, &unreadableRows{name, *offset, err}
		}
		step := reader.step(record)
		for from := 0; from < int(message.rows); from += step {
			to := min(from+step, int(message.rows))
			b, err := reader.batch(record, from, to)
			if err != nil {
				return token, &unreadableRows{name, *offset, err}
			}
			select {
			case r.out <- b:
				*offset += int64(to - from)
			case <-ctx.Done():
				return token, ctx.Err()
			}
		}
	}
}
