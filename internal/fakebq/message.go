package fakebq

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// message is an answer before it is written: the members before the rows, the rows as a slice of a
// table, and the members after them.
type message struct {
	status    int // 0 = 200
	header    http.Header
	before    object
	after     object
	rows      *rows
	rowsFirst bool
}

// code returns the HTTP status of the answer.
func (m *message) code() int { return cmp.Or(m.status, http.StatusOK) }

// rows is a page of rows. Indexes beyond the rows of the table repeat them.
type rows struct {
	table    *rendered
	from, to int
}

// pieces gives the text of the page, made of slices of the table and commas between them.
func (r *rows) pieces(slice func(from, to int) []byte, comma []byte) [][]byte {
	var out [][]byte
	for from, n := r.from, r.table.rows(); from < r.to; {
		copied := from / n * n
		to := min(r.to, copied+n)
		if out != nil {
			out = append(out, comma)
		}
		out = append(out, slice(from-copied, to-copied))
		from = to
	}
	return out
}

// object collects the members of a JSON object in order.
type object []member

type member struct {
	name string
	text []byte
}

func (o *object) raw(name string, text []byte) { *o = append(*o, member{name, text}) }

// set adds a member. Values are this package's own structs, strings and numbers, which always
// marshal.
func (o *object) set(name string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		text, _ = json.Marshal(fmt.Sprintf("fakebq: %v", err))
	}
	o.raw(name, text)
}

// number adds a member for a 64-bit number, which is written as a string.
func (o *object) number(name string, n int64) { o.set(name, strconv.FormatInt(n, 10)) }

// parts returns the text in up to three pieces, of which the second are the rows.
func (m *message) parts(mask fieldMask) (head []byte, page *rows, tail []byte) {
	before, after := mask.cut(m.before), mask.cut(m.after)
	if m.rowsFirst {
		before, after = nil, append(before, after...)
	}
	page = m.rows
	if page != nil && !mask.has("rows") {
		page = nil
	}
	var b bytes.Buffer
	b.WriteByte('{')
	write := func(o object) {
		for _, f := range o {
			if b.Len() > 0 && !bytes.HasSuffix(b.Bytes(), []byte("{")) {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%q:%s", f.name, f.text)
		}
	}
	write(before)
	if page == nil {
		write(after)
		b.WriteByte('}')
		return b.Bytes(), nil, nil
	}
	if len(before) > 0 {
		b.WriteByte(',')
	}
	b.WriteString(`"rows":[`)
	head = bytes.Clone(b.Bytes())
	b.Reset()
	b.WriteByte(']')
	write(after)
	b.WriteByte('}')
	return head, page, b.Bytes()
}

// reply writes the answer to one request.
type reply struct {
	s *Server
	w http.ResponseWriter
	r *http.Request
}

// send writes an answer as requested: cut, indented, gzipped.
func (p *reply) send(m *message) {
	body, zipped := p.render(m)
	h := p.w.Header()
	for k, v := range m.header {
		h[k] = v
	}
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Vary", "Origin, X-Origin, Referer")
	if zipped {
		h.Set("Content-Encoding", "gzip")
	}
	n := 0
	for _, part := range body {
		n += len(part)
	}
	h.Set("Content-Length", strconv.Itoa(n))
	p.w.WriteHeader(m.code())
	for _, part := range body {
		if _, err := p.w.Write(part); err != nil {
			return // the client has gone
		}
	}
}

// render returns the pieces of the body. Gzip members can be concatenated, so that the compressed
// rows are reused from one request to the next.
func (p *reply) render(m *message) (body [][]byte, zipped bool) {
	head, page, tail := m.parts(parseMask(p.r.URL.Query().Get("fields")))
	// Google's servers need gzip in the User-Agent too.
	zipped = !p.s.opts.NoGzip && strings.Contains(p.r.Header.Get("Accept-Encoding"), "gzip") &&
		strings.Contains(p.r.UserAgent(), "gzip")
	pretty := p.r.URL.Query().Get("prettyPrint") != "false" || m.status >= 400 // the service always indents errors
	if !pretty && page != nil && zipped {
		zippedRows := page.pieces(page.table.gzipped, gzipMember([]byte(",")))
		return slices.Concat([][]byte{gzipMember(head)}, zippedRows, [][]byte{gzipMember(tail)}), true
	}
	body = [][]byte{head}
	if page != nil {
		body = slices.Concat(body, page.pieces(page.table.slice, []byte(",")), [][]byte{tail})
	}
	if pretty {
		var b bytes.Buffer
		if json.Indent(&b, bytes.Join(body, nil), "", "  ") == nil { // otherwise a test broke a Raw cell on purpose
			body = [][]byte{b.Bytes()}
		}
	}
	if zipped {
		body = [][]byte{gzipMember(bytes.Join(body, nil))}
	}
	return body, zipped
}

// zippers are reused, because each has a megabyte of tables.
var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return z
}}

func gzipMember(text []byte) []byte {
	var b bytes.Buffer
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(&b)
	_, _ = z.Write(text) // a bytes.Buffer never fails
	_ = z.Close()
	return b.Bytes()
}
