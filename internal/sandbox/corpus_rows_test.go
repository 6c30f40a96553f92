package sandbox

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// corpusService is a client of a sandbox that asks for no sign-in, and what runs a statement as its owner.
func corpusService(t *testing.T) (*bq.Service, func(...string)) {
	t.Helper()
	s, tok := signed(t, Config{NoData: true})
	return rest(t, s, tok), func(statements ...string) { t.Helper(); exec(t, s, statements...) }
}

// corpusRows prints the answer of a statement: a line for each row, its columns parted by " | ".
func corpusRows(resp *bq.QueryResponse) string {
	switch kind := resp.StatementType; {
	case kind == "INSERT" || kind == "UPDATE" || kind == "DELETE" || kind == "MERGE":
		return fmt.Sprintf("(%d rows changed)", resp.NumDmlAffectedRows)
	case kind != "SELECT" && kind != "SCRIPT" || resp.Schema == nil || len(resp.Schema.Fields) == 0:
		return "(done)"
	}
	if len(resp.Rows) == 0 {
		return "(no rows)"
	}
	var lines []string
	for _, row := range resp.Rows {
		var cells []string
		for i, f := range resp.Schema.Fields {
			cells = append(cells, corpusCell(f, row.F[i].V, false))
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return strings.Join(lines, "\n")
}

// corpusCell prints one value as BigQuery's pages do: text as it is, unless its ends would be lost.
func corpusCell(f *bq.TableFieldSchema, v any, element bool) string {
	if f.Mode == "REPEATED" && !element {
		var parts []string
		for _, e := range v.([]any) {
			parts = append(parts, corpusCell(f, e.(map[string]any)["v"], true))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if v == nil {
		return "NULL"
	}
	if f.Type == "RECORD" || f.Type == "STRUCT" {
		var parts []string
		for i, e := range v.(map[string]any)["f"].([]any) {
			parts = append(parts, corpusCell(f.Fields[i], e.(map[string]any)["v"], false))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	text := v.(string)
	switch f.Type {
	case "FLOAT", "FLOAT64":
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return "not a FLOAT64: " + text
		}
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(x, 'g', -1, 64), "+"))
	case "TIMESTAMP":
		micros, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return text
		}
		return time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.999999 UTC")
	case "BYTES":
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "not base64: " + text
		}
		var out strings.Builder
		for _, c := range b {
			if c >= 0x80 {
				fmt.Fprintf(&out, `\x%02x`, c)
				continue
			}
			q := strconv.QuoteToASCII(string(rune(c)))
			out.WriteString(q[1 : len(q)-1])
		}
		return `b"` + out.String() + `"`
	case "STRING":
		if text == "" || text == "NULL" || strings.TrimSpace(text) != text || strings.ContainsAny(text, "|\n\r\t\x00") {
			return strconv.Quote(text)
		}
	}
	return text
}
