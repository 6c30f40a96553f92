package faultproxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
)

// serveHTTP1 relays requests one after the other. It holds bodies in memory.
func (p *Proxy) serveHTTP1(c *conn, client net.Conn, r *bufio.Reader) {
	backend, err := p.dial(c, "http/1.1")
	if err != nil {
		return
	}
	from := bufio.NewReader(backend)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if c.isGone() {
			c.drain(c.client)
			return
		}
		_, fault := p.take(req.Method, req.RequestURI, false)
		if fault.At == Sending && fault.Kind != None {
			if !p.play1(c, client, fault, nil, nil) {
				return
			}
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if fault.At == Before && fault.Kind != None && !fault.graceful() {
			if p.play1(c, client, fault, nil, nil) {
				continue
			}
			return
		}
		req.Body, req.ContentLength, req.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		if req.Write(backend) != nil {
			return
		}
		// When the client leaves, the backend's request ends.
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			if _, err := r.Peek(1); err != nil {
				c.close()
			}
		}()
		more := p.answer1(c, client, from, req, fault)
		if !more {
			c.close()
		}
		<-gone
		if !more {
			return
		}
	}
}

// answer1 relays an answer, and reports whether the connection continues.
func (p *Proxy) answer1(c *conn, client net.Conn, from *bufio.Reader, req *http.Request, fault Fault) bool {
	resp, err := http.ReadResponse(from, req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		body = append(body, ' ') // the backend cut it, so cut it for the client
		fault = Fault{Kind: Cut, At: Middle}
	}
	if c.isGone() {
		c.drain(c.client)
		return false
	}
	if fault.started() && !fault.graceful() {
		return p.play1(c, client, fault, resp, body)
	}
	if fault.Kind == GoAway {
		resp.Header.Set("Connection", "close")
	}
	writeAnswer(client, resp.StatusCode, resp.Header, len(body), body)
	return !resp.Close && fault.Kind != GoAway
}

// writeAnswer writes an answer whose Content-Length may differ from the length of its body.
func writeAnswer(w io.Writer, status int, h http.Header, length int, body []byte) {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n")
	h = h.Clone()
	h.Set("Content-Length", strconv.Itoa(length))
	_ = h.Write(&b) // into memory
	b.WriteString("\r\n")
	b.Write(body)
	_, _ = w.Write(b.Bytes()) // the client may have gone
}

// play1 plays a fault, and reports whether the connection continues. resp is nil if the service got
// no request.
func (p *Proxy) play1(c *conn, client net.Conn, f Fault, resp *http.Response, body []byte) bool {
	if f.At == Middle {
		writeAnswer(client, resp.StatusCode, resp.Header, len(body), body[:len(body)/2])
	}
	switch f.Kind {
	case ResetStream, Reset:
		c.reset()
	case Vanish, Never:
		c.vanish()
		c.drain(c.client)
	case Respond:
		writeAnswer(client, f.Status, f.Header, len(f.Body), []byte(f.Body))
		return f.At != Sending
	case BrokenGzip, ShortBody:
		length, spoiled := spoilBody(f.Kind, resp.Header.Get("Content-Encoding"), body)
		if f.Kind == BrokenGzip {
			resp.Header.Set("Content-Encoding", "gzip")
		}
		writeAnswer(client, resp.StatusCode, resp.Header, length, spoiled)
		return f.Kind != ShortBody
	}
	return false
}
