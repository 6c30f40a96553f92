package fakegoogle

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Reply is a scripted answer to one request. After a Reply with only a Delay, the request is served
// normally.
type Reply struct {
	Status int         // 0 means the server's own answer
	Header http.Header // added to the answer
	Body   string
	Delay  time.Duration // wait before the answer
	Hang   bool          // no answer until the client leaves or the server closes
	Reset  bool          // the connection, or the HTTP/2 stream, is closed without an answer
	Cut    bool          // the same after half of Body
}

// ErrorReply returns a Reply with an OAuth error as Google writes it. subtype may be "".
func ErrorReply(status int, code, subtype string) Reply {
	body := `{"error": "` + code + `", "error_description": "Bad Request"`
	if subtype != "" {
		body += `, "error_subtype": "` + subtype + `"`
	}
	return Reply{Status: status, Body: body + "}",
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}
}

// ScriptToken queues replies for the next requests at /token.
func (s *Server) ScriptToken(replies ...Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokenQ = append(s.tokenQ, replies...)
}

// ScriptRevoke queues replies for the next requests at /revoke.
func (s *Server) ScriptRevoke(replies ...Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revokeQ = append(s.revokeQ, replies...)
}

// EditToken sets a function that changes the fields of every successful answer of /token; nil
// removes it.
func (s *Server) EditToken(edit func(fields map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.editTok = edit
}

// EditCallback sets a function that changes the parameters of every redirect to the application;
// nil removes it.
func (s *Server) EditCallback(edit func(params url.Values)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.editCall = edit
}

// Forms returns the forms posted to /token and /revoke so far, in order.
func (s *Server) Forms() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.forms...)
}

func pop(queue *[]Reply) *Reply {
	if len(*queue) == 0 {
		return nil
	}
	reply := (*queue)[0]
	*queue = (*queue)[1:]
	return &reply
}

// play plays a reply and reports whether the request is finished.
func (s *Server) play(w http.ResponseWriter, r *http.Request, reply Reply) bool {
	if reply.Delay > 0 {
		select {
		case <-time.After(reply.Delay):
		case <-r.Context().Done():
			return true
		case <-s.quit:
			return true
		}
	}
	switch {
	case reply.Hang:
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
		return true
	case reply.Reset:
		panic(http.ErrAbortHandler) // net/http's way to drop the connection
	case reply.Status == 0:
		return false
	}
	for key, values := range reply.Header {
		w.Header()[key] = values
	}
	if reply.Cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(reply.Body)))
		w.WriteHeader(reply.Status)
		w.Write([]byte(reply.Body[:len(reply.Body)/2]))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(reply.Status)
	w.Write([]byte(reply.Body))
	return true
}
