package fakebq

import (
	"bytes"
	"context"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// StreamFault is something that goes wrong with one call of the Storage Read or Write API. The zero value
// is nothing.
type StreamFault struct {
	// After is how many batches ReadRows sends before, or AppendRows takes.
	After int
	// Hang makes the call wait until it is closed.
	Hang <-chan struct{}
	// Code and Message are the status that the call ends with. OK lets it go on.
	Code    codes.Code
	Message string
	// Late lets a call that writes take effect before it ends with Code: its answer is lost.
	Late bool
	// End ends ReadRows as if there were no more rows.
	End bool
	// Corrupt spoils the batch, and Rows, if it is not 0, is added to its row_count.
	Corrupt bool
	Rows    int64
	// Empty sends a message without rows before the batch.
	Empty bool

	pass bool
}

// PassStream lets one call through, to reach a later one with the next fault.
func PassStream() StreamFault { return StreamFault{pass: true} }

// Read is a call of ReadRows.
type Read struct {
	Stream string
	Offset int64
}

// InjectStream puts faults before the next calls of a method of the Storage Read API, one for each.
func (s *Server) InjectStream(m Method, faults ...StreamFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streamFaults[m] = append(s.streamFaults[m], faults...)
}

// Reads are the calls of ReadRows so far, oldest first. The last 5,000 are kept.
func (s *Server) Reads() []Read {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Read(nil), s.reads...)
}

// WaitStreams returns once no ReadRows is being answered, and fails the test if that does not come.
func (s *Server) WaitStreams(t TB) {
	t.Helper()
	if !s.until(func() bool { return s.openStreams == 0 }) {
		t.Fatalf("fakebq: streams are still open")
	}
}

func (f *StreamFault) status() error { return status.Error(f.Code, f.Message) }

// play does what comes before the batch; io.EOF ends the stream.
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

// change spoils a batch.
func (f *StreamFault) change(text []byte, rows int64) ([]byte, int64) {
	if f.Corrupt {
		text = bytes.Clone(text)
		for i := len(text) / 3; i < len(text); i += 7 {
			text[i] ^= 0x5a
		}
	}
	return text, rows + f.Rows
}
