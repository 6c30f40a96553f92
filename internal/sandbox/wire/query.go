package wire

import (
	"encoding/json"
	"fmt"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
)

// FormatOptions are the formats that a request chooses for values.
type FormatOptions struct {
	UseInt64Timestamp     bool   `json:"useInt64Timestamp"`
	TimestampOutputFormat string `json:"timestampOutputFormat"`
}

// QueryParameter is a parameter of a query.
type QueryParameter struct {
	Name  string          `json:"name,omitempty"`
	Type  *ParameterType  `json:"parameterType,omitempty"`
	Value *ParameterValue `json:"parameterValue,omitempty"`
}

// ParameterType is the type of a parameter.
type ParameterType struct {
	// TimestampPrecision is 12 for a TIMESTAMP(12), 0 or 6 for others.
	TimestampPrecision Int64          `json:"timestampPrecision,omitempty"`
	Type               string         `json:"type"`
	ArrayType          *ParameterType `json:"arrayType,omitempty"`
	// RangeElementType is the type of the ends of a RANGE.
	RangeElementType *ParameterType   `json:"rangeElementType,omitempty"`
	StructTypes      []ParameterField `json:"structTypes,omitempty"`
}

// ParameterField is a field of a parameter that is a STRUCT.
type ParameterField struct {
	Name string        `json:"name,omitempty"`
	Type ParameterType `json:"type"`
}

// ParameterValue is the value of a parameter; the zero value is NULL.
type ParameterValue struct {
	Value        *ParameterText            `json:"value,omitempty"`
	ArrayValues  []ParameterValue          `json:"arrayValues,omitempty"`
	RangeValue   *RangeValue               `json:"rangeValue,omitempty"`
	StructValues map[string]ParameterValue `json:"structValues,omitempty"`
}

// RangeValue has the ends of a RANGE. nil, or an end without a value, means
// unbounded.
type RangeValue struct {
	Start *ParameterValue `json:"start,omitempty"`
	End   *ParameterValue `json:"end,omitempty"`
}

// ParameterText is the text of a scalar, which a request may also send as a JSON
// number or bool.
type ParameterText string

// UnmarshalJSON reads a text, a number or a bool.
func (t *ParameterText) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(t))
	case '{', '[':
		return fmt.Errorf("%s is not a scalar value", data)
	}
	*t = ParameterText(data)
	return nil
}

// QueryFields are the fields that jobs.query and the query configuration of
// jobs.insert share.
type QueryFields struct {
	Query              string            `json:"query,omitempty"`
	UseLegacySQL       *bool             `json:"useLegacySql,omitempty"`
	ParameterMode      string            `json:"parameterMode,omitempty"`
	QueryParameters    []QueryParameter  `json:"queryParameters,omitempty"`
	DefaultDataset     *DatasetReference `json:"defaultDataset,omitempty"`
	MaximumBytesBilled Int64             `json:"maximumBytesBilled,omitempty"`
	UseQueryCache      *bool             `json:"useQueryCache,omitempty"`

	CreateSession        bool                 `json:"createSession,omitempty"`
	ConnectionProperties []connectionProperty `json:"connectionProperties,omitempty"`
	refusedFields
}

// refusedFields change what a query does in ways that the sandbox does not
// support.
type refusedFields struct {
	Continuous          bool            `json:"continuous,omitempty"`
	KMS                 json.RawMessage `json:"destinationEncryptionConfiguration,omitempty"`
	TableDefinitions    json.RawMessage `json:"tableDefinitions,omitempty"`
	UDFs                json.RawMessage `json:"userDefinedFunctionResources,omitempty"`
	TimePartitioning    json.RawMessage `json:"timePartitioning,omitempty"`
	RangePartitioning   json.RawMessage `json:"rangePartitioning,omitempty"`
	Clustering          json.RawMessage `json:"clustering,omitempty"`
	SchemaUpdateOptions json.RawMessage `json:"schemaUpdateOptions,omitempty"`
	ScriptOptions       json.RawMessage `json:"scriptOptions,omitempty"`
	ResultsFormat       string          `json:"queryResultsFormat,omitempty"`
}

// Refuse refuses the first field that is set.
func (f *refusedFields) Refuse() *apierror.Error {
	set := func(raw json.RawMessage) bool {
		switch string(raw) {
		case "", "null", "[]", "{}":
			return false
		}
		return true
	}
	switch {
	case f.Continuous:
		return apierror.Unsupported("continuous queries")
	case set(f.KMS):
		return apierror.Unsupported("customer-managed keys (destinationEncryptionConfiguration)")
	case set(f.TableDefinitions):
		return apierror.Unsupported("external tables (tableDefinitions)")
	case set(f.UDFs):
		return apierror.Unsupported("userDefinedFunctionResources")
	case set(f.TimePartitioning), set(f.RangePartitioning), set(f.Clustering):
		return apierror.Unsupported("partitioned or clustered tables")
	case set(f.SchemaUpdateOptions):
		return apierror.Unsupported("schemaUpdateOptions")
	case set(f.ScriptOptions):
		return apierror.Unsupported("scriptOptions")
	case f.ResultsFormat != "" && f.ResultsFormat != "JSON":
		return apierror.Unsupported("queryResultsFormat " + f.ResultsFormat)
	}
	return nil
}

// connectionProperty is a setting of a query, such as the session that it runs in.
type connectionProperty struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// QueryRequest is the body of jobs.query.
type QueryRequest struct {
	QueryFields
	Location        string            `json:"location"`
	DryRun          bool              `json:"dryRun"`
	TimeoutMs       *Int64            `json:"timeoutMs"`
	MaxResults      *Int64            `json:"maxResults"`
	RequestID       string            `json:"requestId"`
	FormatOptions   FormatOptions     `json:"formatOptions"`
	JobCreationMode string            `json:"jobCreationMode"`
	JobTimeoutMs    Int64             `json:"jobTimeoutMs"`
	Labels          map[string]string `json:"labels"`
	Reservation     string            `json:"reservation"`
}

// QueryResponse is the answer of jobs.query and, with fewer fields, of
// jobs.getQueryResults. Rows are encoded already.
type QueryResponse struct {
	Kind                string          `json:"kind"`
	ETag                string          `json:"etag,omitempty"`
	Schema              *Schema         `json:"schema,omitempty"`
	JobReference        *JobReference   `json:"jobReference,omitempty"`
	JobCreationReason   *CreationReason `json:"jobCreationReason,omitempty"`
	QueryID             string          `json:"queryId,omitempty"`
	Location            string          `json:"location,omitempty"`
	TotalRows           *int64          `json:"totalRows,string,omitempty"`
	PageToken           string          `json:"pageToken,omitempty"`
	Rows                json.RawMessage `json:"rows,omitempty"`
	TotalBytesProcessed *int64          `json:"totalBytesProcessed,string,omitempty"`
	TotalBytesBilled    *int64          `json:"totalBytesBilled,string,omitempty"`
	TotalSlotMs         *int64          `json:"totalSlotMs,string,omitempty"`
	JobComplete         bool            `json:"jobComplete"`
	CacheHit            *bool           `json:"cacheHit,omitempty"`
	StatementType       string          `json:"statementType,omitempty"`
	CreationTime        int64           `json:"creationTime,string,omitempty"`
	StartTime           int64           `json:"startTime,string,omitempty"`
	EndTime             int64           `json:"endTime,string,omitempty"`
	NumDMLAffectedRows  *int64          `json:"numDmlAffectedRows,string,omitempty"`
	DMLStats            *DMLStats       `json:"dmlStats,omitempty"`
	SessionInfo         *SessionInfo    `json:"sessionInfo,omitempty"`
}

// CreationReason is why jobs.query has created a job.
type CreationReason struct {
	Code string `json:"code"`
}
