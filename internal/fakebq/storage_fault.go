package fakebq

import (
	"bytes"
	"context"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// StreamFault is a fault of one call of the Storage Read or Write API. The zero value is none.
type StreamFault struct {
	// After is the number of batches that ReadRows sends before the fault, or that AppendRows
	// accepts.
	After int
	// Hang makes the call wait until the channel is closed.
	Hang <-chan struct{}
	// Code and Message are the status of the call. With OK it continues.
	Code    codes.Code
	Message string
	// Late lets a writing call take effect before it ends with Code, as if its answer were lost.
	Late bool
	// End ends ReadRows as if there were no more rows.
	End bool
	// Corrupt damages the batch. Rows, if it is not 0, is added to its row_count.
	Corrupt bool
	Rows    int64
	// Empty sends a message without rows before the batch.
	Empty bool

	pass bool
}

// PassStream lets one call through, so that the next fault meets a later one.
func PassStream() StreamFault { return StreamFault{pass: true} }

// Read is a call of ReadRows.
type Read struct {
	Stream string
	Offset int64
}

// InjectStream adds faults for the next calls of a method of the Storage Read API, one for each.
func (s *Server) InjectStream(m Method, faults ...StreamFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streamFaults[m] = append(s.streamFaults[m], faults...)
}

// Reads returns the calls of ReadRows, oldest first. The last 5,000 are kept.
func (s *Server) Reads() []Read {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Read(nil), s.reads...)
}

// WaitStreams returns when no ReadRows is being answered, and fails the test if that does not
// happen.
func (s *Server) WaitStreams(t TB) {
	t.Helper()
	if !s.until(func() bool { return s.openStreams == 0 }) {
		t.Fatalf("fakebq: streams are still open")
	}
}

func (f *StreamFault) status() error { return status.Error(f.Code, f.Message) }

// play plays the part of a fault before the batch; io.EOF ends the stream.
func (g storage) play(f *StreamFault, ctx context.Context) error {
	if f.Hang != nil && !g.s.wait(ctx, f.Hang) {
		return status.Error(codes.Canceled, "the call has ended")
	}
	switch {
	case f.Code != codes.OK:
		return f.status()
	case f.End:
		return io.EOF
	}
	return nil
}

// change damages a batch.
func (f *StreamFault) change(text []byte, rows int64) ([]byte, int64) {
	if f.Corrupt {
		text = bytes.Clone(text)
		for i := len(text) / 3; i < len(text); i += 7 {
			text[i] ^= 0x5a
		}
	}
	return text, rows + f.Rows
}
