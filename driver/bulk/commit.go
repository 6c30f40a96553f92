package bulk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// answerLimit bounds the wait for an answer in each try of a call. All calls can be repeated.
const answerLimit = 15 * time.Second

// call makes a call of the Write API until it succeeds or fails permanently. lost reports whether a
// call that failed may have taken effect.
func call[T any](
	ctx context.Context, t *task, routing, value string,
	request func(context.Context, storagepb.BigQueryWriteClient) (T, error),
) (v T, lost bool, err error) {
	renewed := false
	for tries, pause := 1, firstPause; ; pause = min(2*pause, maxPause) {
		client, err := t.Writer()
		if err != nil {
			return v, lost, err
		}
		call, token, err := t.Authorise(ctx, routing, value)
		if err != nil {
			return v, lost, err
		}
		limited, cancel := context.WithTimeout(call, answerLimit)
		v, err = request(limited, client)
		cancel()
		if err == nil {
			return v, false, nil
		}
		if t.Refused(err, token) && !renewed {
			renewed = true
			continue
		}
		passing := t.Passing(err)
		lost = lost || passing || ctx.Err() != nil
		if tries++; ctx.Err() != nil || !passing || tries > maxBreaks {
			return v, lost, err
		}
		if pauseErr := t.Pause(ctx, pause); pauseErr != nil {
			return v, lost, err
		}
	}
}

func (t *task) tablePath() string {
	return fmt.Sprintf("projects/%s/datasets/%s/tables/%s", t.table.ProjectId, t.table.DatasetId, t.table.TableId)
}

// createLimit bounds the creation of a stream. If gRPC gets no answer, a load job is used.
const createLimit = 30 * time.Second

// createStream creates a write stream. BigQuery deletes it if it is not used.
func (t *task) createStream(ctx context.Context) (*storagepb.WriteStream, error) {
	typ := storagepb.WriteStream_PENDING
	if t.opts.committed {
		typ = storagepb.WriteStream_COMMITTED
	}
	ctx, cancel := context.WithTimeout(ctx, createLimit)
	defer cancel()
	stream, _, err := call(ctx, t, "parent", t.tablePath(),
		func(ctx context.Context, c storagepb.BigQueryWriteClient) (*storagepb.WriteStream, error) {
			return c.CreateWriteStream(ctx, &storagepb.CreateWriteStreamRequest{
				Parent: t.tablePath(), WriteStream: &storagepb.WriteStream{Type: typ},
			}, grpc.WaitForReady(t.opts.committed)) // so that a network that blocks gRPC does not delay the load job
		})
	if err == nil {
		t.Location = stream.Location
	}
	return stream, err
}

// unusable reports whether the Write API can't be used here, so that a load job is needed.
func unusable(err error) bool {
	s, ok := status.FromError(err)
	unusable := []codes.Code{codes.PermissionDenied, codes.Unimplemented, codes.Unavailable, codes.DeadlineExceeded}
	return !ok || slices.Contains(unusable, s.Code())
}

// write sends all rows to a stream, and commits the stream if it is pending.
func (t *task) write(ctx context.Context, stream string) error {
	t.result.Stream = stream
	w := t.newWriter(ctx, stream)
	defer w.close()
	err := t.source.each(w)
	rows := int64(0)
	if err == nil {
		rows, err = w.finish()
	}
	w.mu.Lock()
	broken, written, bytes := w.err, w.rows, w.bytes
	w.mu.Unlock()
	if t.opts.committed {
		t.result.Rows, t.result.Bytes = written, bytes
	}
	switch {
	case broken != nil: // instead of the error that the source has made of it
		return t.Failed(ctx, broken, "")
	case err != nil || rows == 0:
		return err
	}
	if t.opts.committed { // the rows are in the table, and BigQuery closes an open stream later
		limited, cancel := context.WithTimeout(ctx, closeLimit)
		defer cancel()
		_, _ = t.finalize(limited, stream)
		return nil
	}
	finalized, err := t.finalize(ctx, stream)
	if err != nil {
		return t.Failed(ctx, err, "")
	}
	if finalized.RowCount != rows {
		return fmt.Errorf("bigqueryuser: %d rows were sent, but BigQuery has received %d: nothing was written",
			rows, finalized.RowCount)
	}
	if err := t.commit(ctx, stream); err != nil {
		return err
	}
	t.result.Rows, t.result.Bytes = rows, bytes
	return nil
}

// closeLimit bounds the finalizing of a committed stream, which its rows do not need.
const closeLimit = 5 * time.Second

// finalize closes a stream for rows.
func (t *task) finalize(ctx context.Context, stream string) (*storagepb.FinalizeWriteStreamResponse, error) {
	finalized, _, err := call(ctx, t, "name", stream,
		func(ctx context.Context, c storagepb.BigQueryWriteClient) (*storagepb.FinalizeWriteStreamResponse, error) {
			return c.FinalizeWriteStream(ctx, &storagepb.FinalizeWriteStreamRequest{Name: stream})
		})
	return finalized, err
}

// commit makes the rows of a finalized stream visible. It may be repeated: BigQuery commits a
// stream once.
func (t *task) commit(ctx context.Context, stream string) error {
	parent := t.tablePath()
	done, lost, err := call(ctx, t, "parent", parent,
		func(ctx context.Context, c storagepb.BigQueryWriteClient) (*storagepb.BatchCommitWriteStreamsResponse, error) {
			return c.BatchCommitWriteStreams(ctx, &storagepb.BatchCommitWriteStreamsRequest{
				Parent: parent, WriteStreams: []string{stream},
			})
		})
	if err == nil && done.CommitTime != nil {
		return nil
	}
	if err == nil {
		for _, e := range done.StreamErrors {
			if e.Code == storagepb.StorageError_STREAM_ALREADY_COMMITTED {
				return nil // by a try whose answer was lost
			}
			err = fmt.Errorf("%s: %s", e.Code, e.ErrorMessage)
		}
		if err == nil {
			err = fmt.Errorf("the answer to the commit of %s has neither a commit time nor errors", stream)
		}
		return fmt.Errorf("bigqueryuser: the rows could not be committed, and nothing was written: %w", err)
	}
	switch {
	case !lost:
		return t.Failed(ctx, err, "")
	case ctx.Err() != nil:
		return t.Unknown(t.Failed(ctx, err, ""))
	}
	return t.settle(ctx, stream, err)
}

// settleLimit bounds the time to find out whether a commit whose answers were lost took effect.
const settleLimit = 20 * time.Second

// settle asks whether a stream was committed.
func (t *task) settle(ctx context.Context, stream string, cause error) error {
	ask, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	known, _, err := call(ask, t, "name", stream,
		func(ctx context.Context, c storagepb.BigQueryWriteClient) (*storagepb.WriteStream, error) {
			return c.GetWriteStream(ctx, &storagepb.GetWriteStreamRequest{Name: stream})
		})
	if err == nil && known.CommitTime != nil {
		return nil
	}
	return t.Unknown(t.Failed(ctx, cause, ""))
}
