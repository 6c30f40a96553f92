package faultproxy

import (
	"bytes"
	"io"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// side is one end of an HTTP/2 connection through the proxy. Header blocks are decoded and encoded
// anew, so that a request that does not reach the backend does not corrupt its header table.
type side struct {
	mu    sync.Mutex // of writes
	fr    *http2.Framer
	enc   *hpack.Encoder
	block bytes.Buffer
}

func newSide(w io.Writer, r io.Reader) *side {
	s := &side{fr: http2.NewFramer(w, r)}
	s.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	s.enc = hpack.NewEncoder(&s.block)
	s.enc.SetMaxDynamicTableSize(0)
	return s
}

// write writes with the framer. Errors are noticed by the reads.
func (s *side) write(f func(*http2.Framer) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = f(s.fr)
}

func (s *side) headers(id uint32, fields []hpack.HeaderField, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.block.Reset()
	for _, f := range fields {
		_ = s.enc.WriteField(f) // into memory
	}
	_ = s.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: s.block.Bytes(), EndStream: end,
		EndHeaders: true})
}

// frameSize is the largest frame that every peer accepts.
const frameSize = 16 << 10

func (s *side) data(id uint32, text []byte, end bool) {
	for first := true; first || len(text) > 0; first = false {
		part := text[:min(len(text), frameSize)]
		text = text[len(part):]
		s.write(func(fr *http2.Framer) error { return fr.WriteData(id, end && len(text) == 0, part) })
	}
}

// credit returns the window of data that is not passed on.
func (s *side) credit(id uint32, n int, ended bool) {
	if n == 0 {
		return
	}
	s.write(func(fr *http2.Framer) error { return fr.WriteWindowUpdate(0, uint32(n)) })
	if !ended {
		s.write(func(fr *http2.Framer) error { return fr.WriteWindowUpdate(id, uint32(n)) })
	}
}

// stream is an exchange with a fault.
type stream struct {
	fault  Fault
	dead   bool // the client has got its end
	header []hpack.HeaderField
	body   []byte
	frames int // of the data that was passed on
}

type http2Conn struct {
	*conn
	p              *Proxy
	client, server *side

	mu      sync.Mutex
	streams map[uint32]*stream // with a fault
}

func (p *Proxy) serveHTTP2(c *conn, client net.Conn, r io.Reader) {
	backend, err := p.dial(c, "h2")
	if err != nil {
		return
	}
	if _, err := io.WriteString(backend, http2.ClientPreface); err != nil {
		return
	}
	h := &http2Conn{conn: c, p: p, client: newSide(client, r), server: newSide(backend, backend),
		streams: map[uint32]*stream{}}
	first, err := h.server.fr.ReadFrame()
	settings, ok := first.(*http2.SettingsFrame)
	if err != nil || !ok { // RFC 9113, section 3.4: nothing may come before it
		return
	}
	h.client.write(func(fr *http2.Framer) error { return passSettings(fr, settings) })
	var wg sync.WaitGroup
	wg.Go(func() {
		defer c.close()
		h.relay(h.server, h.answer)
	})
	defer wg.Wait()
	defer c.close()
	h.relay(h.client, h.request)
}

// relay passes the frames of a side on until the connection ends.
func (h *http2Conn) relay(from *side, take func(http2.Frame)) {
	to := h.server
	if from == h.server {
		to = h.client
	}
	for {
		f, err := from.fr.ReadFrame()
		if _, ok := err.(http2.StreamError); ok {
			continue // an exchange with a fault
		}
		if err != nil {
			return
		}
		if h.isGone() {
			continue // reads to notice the end
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			to.write(func(fr *http2.Framer) error { return passSettings(fr, f) })
		case *http2.PingFrame:
			to.write(func(fr *http2.Framer) error { return fr.WritePing(f.IsAck(), f.Data) })
		case *http2.GoAwayFrame:
			to.write(func(fr *http2.Framer) error { return fr.WriteGoAway(f.LastStreamID, f.ErrCode, f.DebugData()) })
		default:
			h.mu.Lock()
			take(f)
			h.mu.Unlock()
		}
	}
}

func passSettings(fr *http2.Framer, f *http2.SettingsFrame) error {
	if f.IsAck() {
		return fr.WriteSettingsAck()
	}
	var all []http2.Setting
	_ = f.ForeachSetting(func(s http2.Setting) error { all = append(all, s); return nil }) // which never fails
	return fr.WriteSettings(all...)
}

// request passes on a frame of the client. The caller holds the lock.
func (h *http2Conn) request(f http2.Frame) {
	id := f.Header().StreamID
	st := h.streams[id]
	hidden := st != nil && !st.fault.started()
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		if path := f.PseudoValue("path"); path != "" { // else trailers
			_, fault := h.p.take(f.PseudoValue("method"), path, true)
			switch {
			case fault.graceful() && fault.Kind == GoAway && fault.At != Middle && fault.At != After:
				h.goAway(id, fault) // and the request goes on
			case fault.Kind != None:
				st = &stream{fault: fault}
				h.streams[id] = st
				hidden = !fault.started()
			}
		}
		if !hidden {
			h.server.headers(id, f.Fields, f.StreamEnded())
		} else if f.StreamEnded() || st.fault.At == Sending {
			h.play(id, st)
		}
	case *http2.DataFrame:
		if !hidden {
			h.server.write(func(fr *http2.Framer) error { return fr.WriteData(id, f.StreamEnded(), f.Data()) })
			return
		}
		h.client.credit(id, len(f.Data()), f.StreamEnded() || st.dead)
		if f.StreamEnded() && !st.dead {
			h.play(id, st)
		}
	case *http2.WindowUpdateFrame:
		if !hidden {
			h.server.write(func(fr *http2.Framer) error { return fr.WriteWindowUpdate(id, f.Increment) })
		}
	case *http2.RSTStreamFrame:
		if st != nil {
			st.dead = true
		}
		if !hidden {
			h.server.write(func(fr *http2.Framer) error { return fr.WriteRSTStream(id, f.ErrCode) })
		}
	}
}

// answer passes on a frame of the backend. The caller holds the lock.
func (h *http2Conn) answer(f http2.Frame) {
	id := f.Header().StreamID
	st := h.streams[id]
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		switch {
		case st == nil:
			h.client.headers(id, f.Fields, f.StreamEnded())
		case st.dead:
		case st.fault.At == Middle && f.PseudoValue("status") != "":
			h.client.headers(id, f.Fields, false)
			if f.StreamEnded() {
				h.play(id, st)
			}
		case f.StreamEnded():
			if f.PseudoValue("status") != "" {
				st.header = f.Fields
			}
			h.play(id, st)
		default:
			st.header = f.Fields
		}
	case *http2.DataFrame:
		text := f.Data()
		switch {
		case st == nil:
			h.client.write(func(fr *http2.Framer) error { return fr.WriteData(id, f.StreamEnded(), text) })
			return
		case st.dead:
		case st.fault.At == Middle && st.frames < st.fault.Skip && !f.StreamEnded():
			st.frames++
			h.client.write(func(fr *http2.Framer) error { return fr.WriteData(id, false, text) })
			return
		case st.fault.At == Middle && st.fault.graceful():
			h.goAway(id, st.fault)
			delete(h.streams, id)
			h.client.write(func(fr *http2.Framer) error { return fr.WriteData(id, f.StreamEnded(), text) })
			return
		case st.fault.At == Middle:
			half := len(text) / 2
			h.client.write(func(fr *http2.Framer) error { return fr.WriteData(id, false, text[:half]) })
			h.play(id, st)
			text = text[half:]
		default:
			st.body = append(st.body, text...)
			if f.StreamEnded() {
				h.play(id, st)
			}
		}
		h.server.credit(id, len(text), f.StreamEnded())
	case *http2.WindowUpdateFrame:
		h.client.write(func(fr *http2.Framer) error { return fr.WriteWindowUpdate(id, f.Increment) })
	case *http2.RSTStreamFrame:
		if st == nil || !st.dead {
			h.client.write(func(fr *http2.Framer) error { return fr.WriteRSTStream(id, f.ErrCode) })
		}
	}
}

func (h *http2Conn) goAway(id uint32, f Fault) {
	last := id
	if f.Below {
		last = max(id, 2) - 2
	}
	h.client.write(func(fr *http2.Framer) error { return fr.WriteGoAway(last, f.Code, []byte(f.Debug)) })
}

// play plays the fault. The caller holds the lock.
func (h *http2Conn) play(id uint32, st *stream) {
	st.dead = true
	f := st.fault
	switch f.Kind {
	case ResetStream:
		h.client.write(func(fr *http2.Framer) error { return fr.WriteRSTStream(id, f.Code) })
	case GoAway:
		h.goAway(id, f)
		if f.Close {
			h.close()
		} else if !f.Below {
			h.respond(id, st.header, st.body, false)
		}
	case Cut:
		h.close()
	case Reset:
		h.reset()
	case Vanish:
		h.vanish()
	case Respond:
		h.respond(id, f.fields(), []byte(f.Body), f.At == Sending)
	case BrokenGzip, ShortBody:
		fields, body := spoil(f.Kind, st.header, st.body)
		h.respond(id, fields, body, false)
	}
}

// respond sends a whole answer.
func (h *http2Conn) respond(id uint32, fields []hpack.HeaderField, body []byte, early bool) {
	h.client.headers(id, fields, len(body) == 0)
	if len(body) > 0 {
		h.client.data(id, body, true)
	}
	if early { // RFC 9113, section 8.1: the rest of the request is not wanted
		h.client.write(func(fr *http2.Framer) error { return fr.WriteRSTStream(id, http2.ErrCodeNo) })
	}
}
