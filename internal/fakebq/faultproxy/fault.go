package faultproxy

import (
	"cmp"
	"fmt"
	"net/http"

	"golang.org/x/net/http2"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// Kind is the kind of a fault.
type Kind int

const (
	// None lets the request through.
	None Kind = iota
	// ResetStream ends the stream with RST_STREAM and [Fault.Code]; HTTP/1 has no streams, so there the connection
	// is reset.
	ResetStream
	// GoAway sends GOAWAY with [Fault.Code] and [Fault.Debug]. The last stream id is that of the
	// request, or the one before if [Fault.Below] is set. With [Fault.Close] the connection is
	// closed afterwards, else the exchange continues. HTTP/1 has no GOAWAY: with Close or Below the
	// connection is closed, else the answer says Connection: close.
	GoAway
	// Cut closes the TCP connection, without closing TLS.
	Cut
	// Reset resets the TCP connection.
	Reset
	// Vanish passes no more bytes over the connection, in either direction, and does not close it,
	// as if the network were gone. New connections work.
	Vanish
	// Never sends no answer to the request. The connection works otherwise: pings are answered.
	Never
	// Respond answers with [Fault.Status], [Fault.Header] and [Fault.Body] instead of the service.
	Respond
	// BrokenGzip sends the answer of the service gzipped and damaged.
	BrokenGzip
	// ShortBody ends the answer of the service in the middle of its body, without an error of the
	// connection. Content-Length is that of the whole.
	ShortBody
)

var kindNames = [...]string{"none", "RST_STREAM", "GOAWAY", "cut", "reset", "vanish", "never", "respond", "broken gzip",
	"short body"}

func (k Kind) String() string { return kindNames[k] }

// Phase is the phase of a request in which a fault happens.
type Phase int

const (
	// Before: the whole request has arrived, and the service never sees it.
	Before Phase = iota
	// Sending: the request has started and its body is being sent; the service never sees it.
	Sending
	// After: the service has answered, and nothing of the answer has been passed on.
	After
	// Middle: in the middle of the answer's body, or of its message number [Fault.Skip] if there
	// are several.
	Middle
)

var phaseNames = [...]string{"before", "while sending", "after", "in the middle"}

func (p Phase) String() string { return phaseNames[p] }

// Fault is a fault of one request. The zero value is none.
type Fault struct {
	Kind Kind
	At   Phase
	// Code and Debug are those of RST_STREAM and GOAWAY.
	Code  http2.ErrCode
	Debug string
	// Below and Close are described at GoAway.
	Below, Close bool
	// Status, Header and Body are the answer of Respond.
	Status int
	Header http.Header
	Body   string
	// Skip is how many DATA frames of an answer pass before the middle. HTTP/1 ignores it.
	Skip int

	name string // of an error
}

// String describes the fault for a test's message.
func (f Fault) String() string {
	s := f.Kind.String()
	switch f.Kind {
	case None:
		return s
	case ResetStream:
		s += " " + f.Code.String()
	case GoAway:
		s += fmt.Sprintf(" %s %q, below=%t, close=%t", f.Code, f.Debug, f.Below, f.Close)
	case Respond:
		s += fmt.Sprintf(" %d %s", f.Status, cmp.Or(f.name, "HTML"))
	}
	return s + ", " + f.At.String()
}

// started reports whether the service sees the request.
func (f Fault) started() bool { return f.At == After || f.At == Middle }

// graceful reports whether the exchange continues after the fault.
func (f Fault) graceful() bool { return f.Kind == None || f.Kind == GoAway && !f.Below && !f.Close }

// EndsConnection reports whether the fault also meets other requests on the HTTP/2 connection.
func (f Fault) EndsConnection() bool {
	return f.Kind == GoAway && f.Close || f.Kind == Cut || f.Kind == Reset || f.Kind == Vanish
}

// Unclear reports whether a client can't tell whether the service has seen the request.
func (f Fault) Unclear(http2Too bool) bool {
	switch {
	case f.Kind == Respond:
		return f.Status >= 500 || f.Status == http.StatusRequestTimeout
	case http2Too && (f.Kind == GoAway && f.Below || f.Kind == ResetStream && f.Code == http2.ErrCodeRefusedStream):
		return false
	}
	return !f.graceful()
}

// MayHaveRun reports whether the service may have run the request although the client got no answer
// of the service.
func (f Fault) MayHaveRun() bool { return f.started() && !f.graceful() }

// HTML returns the fault of a front end's page with a status. The service sees the request only if
// at is After.
func HTML(status int, at Phase) Fault {
	text := fmt.Sprintf("<!DOCTYPE html>\n<html lang=en><title>Error %d (%s)!!1</title><p><b>%[1]d.</b> That's an "+
		"error.",
		status, http.StatusText(status))
	return Fault{Kind: Respond, At: at, Status: status, Body: text,
		Header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}, "Referrer-Policy": {"no-referrer"}}}
}

// Error returns the fault of an error answer of the service.
func Error(e fakebq.Error, at Phase) Fault {
	status, header, body := e.HTTP()
	return Fault{Kind: Respond, At: at, Status: status, Header: header, Body: string(body), name: e.Reason}
}

// NamedFault is a fault of a catalogue.
type NamedFault struct {
	Name string
	Fault
}

// Catalogue returns the temporary faults of a network and of front ends, in all phases in which
// they can happen.
func Catalogue() []NamedFault {
	var all []NamedFault
	add := func(f Fault, phases ...Phase) {
		for _, at := range phases {
			f.At = at
			all = append(all, NamedFault{f.String(), f})
		}
	}
	for _, code := range []http2.ErrCode{http2.ErrCodeInternal, http2.ErrCodeCancel, http2.ErrCodeProtocol} {
		add(Fault{Kind: ResetStream, Code: code}, Before, After, Middle)
	}
	add(Fault{Kind: ResetStream, Code: http2.ErrCodeRefusedStream}, Before)
	for _, debug := range []string{"max_age", "session_timed_out"} {
		add(Fault{Kind: GoAway, Debug: debug}, Before, Middle)
		add(Fault{Kind: GoAway, Debug: debug, Below: true, Close: true}, Before)
		add(Fault{Kind: GoAway, Debug: debug, Close: true}, Before, After, Middle)
	}
	for _, kind := range []Kind{Cut, Reset} {
		add(Fault{Kind: kind}, Before, Sending, After, Middle)
	}
	add(Fault{Kind: BrokenGzip}, After)
	add(Fault{Kind: ShortBody}, After)
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		add(HTML(status, Before), Before)
	}
	for _, status := range []int{408, 502, 503, 504} {
		add(HTML(status, After), After)
	}
	return all
}

// Lasting returns the faults that only a client's timeout ends.
func Lasting() []NamedFault {
	var all []NamedFault
	for _, kind := range []Kind{Vanish, Never} {
		for _, at := range []Phase{Before, After} {
			f := Fault{Kind: kind, At: at}
			all = append(all, NamedFault{f.String(), f})
		}
	}
	return all
}

// Final returns the answers of front ends that repeating the request does not change.
func Final() []NamedFault {
	var all []NamedFault
	for _, status := range []int{400, 403, 407, 413} {
		f := HTML(status, Before)
		all = append(all, NamedFault{f.String(), f})
	}
	return all
}
