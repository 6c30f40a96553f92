package faultproxy

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// fields is the header of Respond's answer.
func (f Fault) fields() []hpack.HeaderField {
	out := []hpack.HeaderField{{Name: ":status", Value: strconv.Itoa(f.Status)}}
	for name, values := range f.Header {
		for _, v := range values {
			out = append(out, hpack.HeaderField{Name: strings.ToLower(name), Value: v})
		}
	}
	return append(out, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(f.Body))})
}

// spoil makes the answer of BrokenGzip or ShortBody from that of the service.
func spoil(kind Kind, fields []hpack.HeaderField, body []byte) ([]hpack.HeaderField, []byte) {
	h := http.Header{}
	for _, f := range fields {
		h.Add(f.Name, f.Value)
	}
	length, body := spoilBody(kind, h.Get("Content-Encoding"), body)
	var out []hpack.HeaderField
	for _, f := range fields {
		if f.Name != "content-length" && f.Name != "content-encoding" {
			out = append(out, f)
		}
	}
	if kind == BrokenGzip {
		out = append(out, hpack.HeaderField{Name: "content-encoding", Value: "gzip"})
	} else if e := h.Get("Content-Encoding"); e != "" {
		out = append(out, hpack.HeaderField{Name: "content-encoding", Value: e})
	}
	return append(out, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(length)}), body
}

// spoilBody returns the Content-Length and the damaged body.
func spoilBody(kind Kind, encoding string, body []byte) (int, []byte) {
	if kind == ShortBody {
		return len(body), body[:len(body)/2]
	}
	if encoding != "gzip" {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(body) // into memory
		_ = z.Close()
		body = b.Bytes()
	}
	body = bytes.Clone(body)
	for i := len(body) / 2; i < len(body); i += 3 { // the end holds the checksum
		body[i] ^= 0xff
	}
	return len(body), body
}
