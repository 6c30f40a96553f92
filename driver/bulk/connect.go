package bulk

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// send keeps a connection of the stream open until all rows are acknowledged. It reopens one that
// breaks.
func (w *writer) send() {
	renewed := false
	for breaks, pause := 0, firstPause; ; pause = min(2*pause, maxPause) {
		if !w.more(0) {
			return
		}
		before := w.acknowledged()
		token, err := w.connect()
		if err == nil {
			return
		}
		if w.acknowledged() > before {
			breaks, pause, renewed = 0, firstPause, false
		}
		if w.t.Refused(err, token) && !renewed {
			renewed = true
			continue
		}
		if breaks++; w.ctx.Err() != nil || !w.t.Passing(err) || breaks > maxBreaks {
			w.fail(err)
			return
		}
		if err := w.t.Pause(w.ctx, pause); err != nil {
			w.fail(err)
			return
		}
	}
}

func (w *writer) acknowledged() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rows
}

// more waits until there are more than n batches. It returns false if there will be none.
func (w *writer) more(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && len(w.waiting) <= n && !w.ended {
		w.changed.Wait()
	}
	return w.err == nil && len(w.waiting) > n
}

// connect opens a connection, sends the waiting batches and reads acknowledgements, until all rows
// are acknowledged or the connection breaks.
func (w *writer) connect() (token string, err error) {
	client, err := w.t.Writer()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	call, token, err := w.t.Authorise(ctx, "write_stream", w.stream)
	if err != nil {
		return "", err
	}
	stream, err := client.AppendRows(call)
	if err != nil {
		return token, err
	}
	var sender sync.WaitGroup
	defer sender.Wait()
	defer func() { cancel(); w.wake() }()
	sender.Go(func() { w.sendAll(ctx, stream) })
	defer w.watch(ctx, cancel)()
	for {
		resp, err := stream.Recv()
		switch {
		case err == io.EOF:
			if w.more(0) {
				return token, status.Error(codes.Unavailable, "the stream ended before all rows were acknowledged")
			}
			return token, nil
		case err != nil:
			return token, err
		}
		if err := w.received(resp); err != nil {
			return token, err
		}
	}
}

// watch closes the connection if the first batch has waited too long for its acknowledgement.
func (w *writer) watch(ctx context.Context, giveUp func()) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Now()
	var timer *time.Timer
	timer = time.AfterFunc(silenceLimit, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		left := silenceLimit
		if len(w.waiting) > 0 {
			left += time.Duration(len(w.waiting[0].bytes))*time.Second/slowest - time.Since(w.since)
		}
		switch {
		case ctx.Err() != nil:
		case left <= 0:
			giveUp()
		default:
			timer.Reset(left)
		}
	})
	return func() { timer.Stop() }
}

func (w *writer) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed.Broadcast()
}

// sendAll sends the waiting batches, starting with those that an earlier connection has sent, and
// closes the sending side after the last.
func (w *writer) sendAll(ctx context.Context, stream storagepb.BigQueryWrite_AppendRowsClient) {
	from := int64(-1)
	for {
		b, ok := w.next(ctx, from)
		if !ok {
			_ = stream.CloseSend() // Recv returns the error, if there is one
			return
		}
		if stream.Send(w.request(b, from < 0)) != nil {
			return
		}
		from = b.offset
	}
}

// next waits for the batch after the one at an offset. It returns false after the last.
func (w *writer) next(ctx context.Context, from int64) (*batch, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && ctx.Err() == nil {
		for _, b := range w.waiting {
			if b.offset > from {
				return b, true
			}
		}
		if w.ended {
			return nil, false
		}
		w.changed.Wait()
	}
	return nil, false
}

// request returns the AppendRows request of a batch. The first one of a connection describes the
// rows.
func (w *writer) request(b *batch, first bool) *storagepb.AppendRowsRequest {
	data := &storagepb.AppendRowsRequest_ProtoData{Rows: &storagepb.ProtoRows{SerializedRows: b.rows()}}
	r := &storagepb.AppendRowsRequest{
		Offset: wrapperspb.Int64(b.offset), Rows: &storagepb.AppendRowsRequest_ProtoRows{ProtoRows: data},
	}
	if !first {
		return r
	}
	r.WriteStream, r.TraceId = w.stream, "bigqueryuser:bulk"
	data.WriterSchema = &storagepb.ProtoSchema{ProtoDescriptor: descriptor("Row", w.t.columns)}
	r.MissingValueInterpretations = map[string]storagepb.AppendRowsRequest_MissingValueInterpretation{}
	for i, c := range w.t.columns {
		if !w.t.source.present[i] && c.hasDefault {
			r.MissingValueInterpretations[c.name] = storagepb.AppendRowsRequest_DEFAULT_VALUE
		}
	}
	return r
}

// received handles the answer for the first waiting batch.
func (w *writer) received(resp *storagepb.AppendRowsResponse) error {
	w.mu.Lock()
	if len(w.waiting) == 0 {
		w.mu.Unlock()
		return status.Error(codes.DataLoss, "more requests were acknowledged than sent")
	}
	first := w.waiting[0]
	if e := resp.GetError(); e != nil && e.Code != int32(code.Code_ALREADY_EXISTS) {
		w.mu.Unlock()
		return refusal(resp, first.offset)
	}
	if at := resp.GetAppendResult().GetOffset(); at != nil && at.Value != first.offset {
		w.mu.Unlock()
		return status.Errorf(codes.DataLoss, "rows from offset %d were acknowledged, want %d", at.Value, first.offset)
	}
	// ALREADY_EXISTS: an earlier connection sent them, and broke before the acknowledgement.
	w.waiting, w.since = slices.Delete(w.waiting, 0, 1), time.Now()
	w.rows += int64(len(first.ends))
	w.bytes += int64(len(first.bytes))
	p := Progress{w.rows, w.bytes}
	w.changed.Broadcast()
	w.mu.Unlock()
	select {
	case w.free <- first:
	default:
	}
	if w.t.opts.progress != nil {
		w.t.opts.progress(p)
	}
	return nil
}

// refusal returns the error of a request that BigQuery refused, with the first row at fault.
func refusal(resp *storagepb.AppendRowsResponse, offset int64) error {
	err := status.ErrorProto(resp.GetError())
	if rows := resp.GetRowErrors(); len(rows) > 0 {
		return fmt.Errorf("row %d: %s: %w", offset+rows[0].Index+1, rows[0].Message, err)
	}
	return err
}
