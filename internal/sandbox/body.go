package sandbox

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// maxBody is the size of the largest request: BigQuery's limit.
const maxBody = 10 << 20

// readBody decodes a request's JSON.
func readBody(r *http.Request, v any) *apierror.Error {
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return apierror.Errorf("invalid", "Request payload size exceeds the limit: %d bytes.", maxBody)
	}
	if err != nil {
		return apierror.Errorf("invalid", "The request could not be read: %s", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return apierror.Errorf("parseError", "Invalid JSON payload received. %s", err)
	}
	return nil
}

// gzipFrom is the size from which answers are compressed.
const gzipFrom = 1400

// send writes an answer as JSON, cut to the fields that the request asks for.
func send(w http.ResponseWriter, r *http.Request, answer any) *apierror.Error {
	switch answer.(type) {
	case nil:
		w.WriteHeader(http.StatusNoContent)
		return nil
	case resumeIncomplete:
		w.WriteHeader(http.StatusPermanentRedirect) // which is what 308 is called elsewhere
		return nil
	}
	body, err := encode(answer, r.URL.Query().Get("fields"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Vary", "Origin, X-Origin, Referer, Accept-Encoding")
	if len(body) < gzipFrom || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = w.Write(body) // the client may be gone
		return nil
	}
	h.Set("Content-Encoding", "gzip")
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid
	_, _ = z.Write(body)
	_ = z.Close()
	return nil
}

// encode writes an answer as JSON. Rows are already encoded, and are inserted
// unchanged.
func encode(answer any, fields string) ([]byte, *apierror.Error) {
	var rows json.RawMessage
	switch a := answer.(type) {
	case *wire.QueryResponse:
		rows, a.Rows = a.Rows, nil
	case *wire.TableDataList:
		rows, a.Rows = a.Rows, nil
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, apierror.Broken("the answer could not be encoded: %s", err)
	}
	if fields != "" {
		mask, err := parseMask(fields)
		if err != nil {
			return nil, err
		}
		if body, err = mask.cut(body); err != nil {
			return nil, err
		}
		if !mask.has("rows") {
			rows = nil
		}
	}
	if rows == nil {
		return body, nil
	}
	out := bytes.NewBuffer(make([]byte, 0, len(body)+len(rows)+len(`,"rows":`)))
	out.Write(body[:len(body)-1])
	if len(body) > len("{}") {
		out.WriteByte(',')
	}
	out.WriteString(`"rows":`)
	out.Write(rows)
	out.WriteByte('}')
	return out.Bytes(), nil
}

// etag returns a tag that changes when the resource changes.
func etag(id string, modified time.Time) string {
	h := fnv.New64a()
	fmt.Fprint(h, id, modified.UnixNano())
	return fmt.Sprintf("%016x", h.Sum64())
}
