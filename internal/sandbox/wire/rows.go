package wire

import (
	"encoding/json"
)

// TableDataList is the answer of tabledata.list.
type TableDataList struct {
	Kind      string          `json:"kind"`
	ETag      string          `json:"etag,omitempty"`
	TotalRows int64           `json:"totalRows,string"`
	PageToken string          `json:"pageToken,omitempty"`
	Rows      json.RawMessage `json:"rows,omitempty"`
}

// InsertAllRequest is the body of tabledata.insertAll.
type InsertAllRequest struct {
	SkipInvalidRows     bool   `json:"skipInvalidRows"`
	IgnoreUnknownValues bool   `json:"ignoreUnknownValues"`
	TemplateSuffix      string `json:"templateSuffix"`
	Rows                []struct {
		InsertID string          `json:"insertId"`
		JSON     json.RawMessage `json:"json"`
	} `json:"rows"`
}

// InsertErrors are the errors of one row.
type InsertErrors struct {
	Index  int           `json:"index"`
	Errors []InsertError `json:"errors"`
}

// InsertError is an error of one row.
type InsertError struct {
	Reason    string `json:"reason"`
	Location  string `json:"location"`
	DebugInfo string `json:"debugInfo"`
	Message   string `json:"message"`
}
