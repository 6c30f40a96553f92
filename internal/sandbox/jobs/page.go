package jobs

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/cells"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Page says which rows of a result are wanted.
type Page struct {
	Start int64
	// Max is the number of rows; negative: as many as fit.
	Max     int64
	encoder cells.Encoder
}

// PageToken names the row that a page begins with. It works only for the thing
// that it was made for.
func PageToken(owner string, row int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(row, 10) + " " + owner))
}

// ParsePageToken returns the row that a token names.
func ParsePageToken(token, owner string) (int64, *apierror.Error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	number, name, ok := strings.Cut(string(raw), " ")
	row, numErr := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || numErr != nil || row < 0 || name != owner {
		return 0, apierror.Errorf("invalid", "Invalid page token: it does not belong to this request.")
	}
	return row, nil
}

// EncodePage writes rows as a JSON array and returns the row that the next page
// begins with. A page ends before it is larger than limit bytes, but has at least one row.
func EncodePage(res *engine.Result, p Page, limit int) (rows []byte, next int64) {
	end := res.Rows
	if p.Max >= 0 && p.Max < end-p.Start {
		end = p.Start + p.Max
	}
	if p.Start >= end {
		return nil, p.Start
	}
	rows = append(rows, '[')
	block, offset := res.Find(p.Start)
	for next = p.Start; next < end; next++ {
		for offset == res.Blocks[block].Rows {
			block, offset = block+1, 0
		}
		before := len(rows)
		if next > p.Start {
			rows = append(rows, ',')
		}
		rows = p.encoder.Row(rows, res.Blocks[block].Columns, offset)
		if len(rows) > limit && next > p.Start {
			return append(rows[:before], ']'), next
		}
		offset++
	}
	return append(rows, ']'), next
}

// maxRows returns the maxResults of a request; -1 = not given.
func maxRows(n *wire.Int64) int64 {
	if n == nil {
		return -1
	}
	return max(int64(*n), 0)
}

// encoderOf returns the encoder for the formats of a request.
func encoderOf(f wire.FormatOptions) (cells.Encoder, *apierror.Error) {
	switch f.TimestampOutputFormat {
	case "ISO8601_STRING":
		if f.UseInt64Timestamp {
			return cells.Encoder{}, apierror.Errorf("invalid", "useInt64Timestamp and timestampOutputFormat "+
				"ISO8601_STRING exclude each other")
		}
		return cells.Encoder{ISOTimestamps: true}, nil
	case "", "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED", "FLOAT64":
		return cells.Encoder{Int64Timestamps: f.UseInt64Timestamp}, nil
	case "INT64":
		return cells.Encoder{Int64Timestamps: true}, nil
	default:
		return cells.Encoder{}, apierror.Unsupported("timestampOutputFormat " + f.TimestampOutputFormat)
	}
}

// NewPage is the page that begins with the first row, of at most limit rows; nil: as many as fit.
func NewPage(format wire.FormatOptions, limit *wire.Int64) (Page, *apierror.Error) {
	encoder, err := encoderOf(format)
	return Page{Max: maxRows(limit), encoder: encoder}, err
}
