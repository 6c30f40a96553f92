package fakebq

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// Fault is a fault of one request. These functions make one: an error (Fail, FailRetryAfter, HTML,
// Garbage, Body), a broken connection (Drop, Cut, Truncate), or an answer that waits (Hang,
// HangBefore, Stall).
type Fault struct {
	pass  bool
	after bool // the request takes effect first
	play  func(p *reply, answer *message)
}

// Inject adds faults for the next requests of a method, one for each. They follow those that are
// still waiting.
func (s *Server) Inject(m Method, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[m] = append(s.faults[m], faults...)
}

// Faults returns the number of injected faults that have not been played.
func (s *Server) Faults() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, queue := range s.faults {
		n += len(queue)
	}
	return n
}

// After makes the request take effect before the fault: the statement runs and
// its answer is lost.
func (f Fault) After() Fault { f.after = true; return f }

// Pass lets one request through, so that the next fault meets a later one.
func Pass() Fault { return Fault{pass: true} }

// Fail answers with an error.
func Fail(e Error) Fault {
	return Fault{play: func(p *reply, _ *message) { p.send(e.body()) }}
}

// Exists lets jobs.insert take effect and answers 409 that the job exists, as the service
// sometimes does for the first request.
func Exists() Fault {
	return Fault{after: true, play: func(p *reply, answer *message) {
		name := ""
		for _, m := range answer.before {
			if m.name == "id" {
				_ = json.Unmarshal(m.text, &name) // a string
			}
		}
		p.send((&Error{Reason: "duplicate", Message: "Already Exists: Job " + name}).body())
	}}
}

// FailRetryAfter answers with an error and a Retry-After header.
func FailRetryAfter(e Error, header string) Fault {
	return Fault{play: func(p *reply, _ *message) {
		m := e.body()
		m.header = http.Header{"Retry-After": {header}}
		p.send(m)
	}}
}

// HTML answers with a status and a page in HTML, as front ends do when they can't reach the
// service.
func HTML(status int) Fault {
	return Body(status, "text/html; charset=UTF-8",
		"<!DOCTYPE html>\n<html lang=en><title>Error "+strconv.Itoa(status)+"</title><p><b>"+strconv.Itoa(
			status)+".</b> That's an error.")
}

// Garbage answers 200 with a body that is not JSON.
func Garbage(body string) Fault {
	return Body(http.StatusOK, "application/json; charset=UTF-8", body)
}

// Body answers with any status, type and text.
func Body(status int, contentType, body string) Fault {
	return Fault{play: func(p *reply, _ *message) {
		p.w.Header().Set("Content-Type", contentType)
		p.w.WriteHeader(status)
		_, _ = p.w.Write([]byte(body)) // the client may have closed the connection
	}}
}

// Drop closes the connection instead of answering.
func Drop() Fault {
	return Fault{play: func(*reply, *message) { panic(http.ErrAbortHandler) }}
}

// Cut sends the first n bytes of the answer and closes the connection: the client
// sees an unexpected EOF. The answer is not compressed.
func Cut(n int) Fault {
	return Fault{after: true, play: func(p *reply, answer *message) {
		text := p.plain(answer)
		p.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		p.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		p.w.WriteHeader(answer.code())
		_, _ = p.w.Write(text[:min(n, len(text))])
		_ = http.NewResponseController(p.w).Flush() // dropped below in any case
		panic(http.ErrAbortHandler)
	}}
}

// Truncate sends the first n bytes of the answer as a complete answer. It is not compressed.
func Truncate(n int) Fault {
	return Fault{after: true, play: func(p *reply, answer *message) {
		text := p.plain(answer)
		p.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		p.w.WriteHeader(answer.code())
		_, _ = p.w.Write(text[:min(n, len(text))])
	}}
}

// Stall sends the first n bytes of the answer, and the rest when ch is closed. A nil ch is never
// closed: the answer ends with the client or the server.
func Stall(n int, ch <-chan struct{}) Fault {
	return Fault{after: true, play: func(p *reply, answer *message) {
		text := p.plain(answer)
		n := min(n, len(text))
		p.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		p.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		p.w.WriteHeader(answer.code())
		_, _ = p.w.Write(text[:n])
		_ = http.NewResponseController(p.w).Flush()
		if !p.s.wait(p.r.Context(), ch) {
			panic(http.ErrAbortHandler)
		}
		_, _ = p.w.Write(text[n:])
	}}
}

// Hang sends the answer when ch is closed. A nil ch is never closed. The request takes effect
// before the wait; see HangBefore.
func Hang(ch <-chan struct{}) Fault {
	return Fault{after: true, play: func(p *reply, answer *message) {
		if !p.s.wait(p.r.Context(), ch) {
			panic(http.ErrAbortHandler)
		}
		p.send(answer)
	}}
}

// HangBefore is Hang for a request that does not reach the service: when ch is closed, the
// connection is dropped.
func HangBefore(ch <-chan struct{}) Fault {
	return Fault{play: func(p *reply, _ *message) {
		p.s.wait(p.r.Context(), ch)
		panic(http.ErrAbortHandler)
	}}
}

// plain writes an answer without compression.
func (p *reply) plain(m *message) []byte {
	r := p.r.Clone(p.r.Context())
	r.Header.Del("Accept-Encoding")
	body, _ := (&reply{p.s, p.w, r}).render(m)
	return bytes.Join(body, nil)
}
