package sandbox

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
)

// The parts of BigQuery's REST messages that the sandbox reads or sends; names
// are those of the discovery document v2. 64-bit numbers travel as strings.

// int64String is a number of 64 bits: sent as text, taken as text or number.
type int64String int64

// MarshalJSON writes the number as text.
func (n int64String) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatInt(int64(n), 10)), nil
}

// UnmarshalJSON reads the number as text or as a number.
func (n *int64String) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "null" {
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a whole number of 64 bits", data)
	}
	*n = int64String(v)
	return nil
}

type jobReference struct {
	ProjectID string `json:"projectId,omitempty"`
	JobID     string `json:"jobId,omitempty"`
	Location  string `json:"location,omitempty"`
}

func (r jobReference) String() string { return r.ProjectID + ":" + r.Location + "." + r.JobID }

type datasetReference struct {
	ProjectID string `json:"projectId,omitempty"`
	DatasetID string `json:"datasetId"`
}

type tableReference struct {
	ProjectID string `json:"projectId,omitempty"`
	DatasetID string `json:"datasetId"`
	TableID   string `json:"tableId"`
}

type tableSchema struct {
	Fields []fieldSchema `json:"fields"`
}

// rangeElement is the type of the ends of a RANGE.
type rangeElement struct {
	Type string `json:"type"`
}

type fieldSchema struct {
	Name               string        `json:"name"`
	Type               string        `json:"type"`
	Mode               string        `json:"mode,omitempty"`
	Fields             []fieldSchema `json:"fields,omitempty"`
	Description        string        `json:"description,omitempty"`
	MaxLength          int64String   `json:"maxLength,omitempty"`
	Precision          int64String   `json:"precision,omitempty"`
	RangeElementType   *rangeElement `json:"rangeElementType,omitempty"`
	TimestampPrecision int64String   `json:"timestampPrecision,omitempty"`
	Scale              int64String   `json:"scale,omitempty"`
	Default            string        `json:"defaultValueExpression,omitempty"`
}

type formatOptions struct {
	UseInt64Timestamp     bool   `json:"useInt64Timestamp"`
	TimestampOutputFormat string `json:"timestampOutputFormat"`
}

type queryParameter struct {
	Name  string      `json:"name,omitempty"`
	Type  *paramType  `json:"parameterType,omitempty"`
	Value *paramValue `json:"parameterValue,omitempty"`
}

type paramType struct {
	// TimestampPrecision is 12 for a TIMESTAMP(12), 0 or 6 for others.
	TimestampPrecision int64String `json:"timestampPrecision,omitempty"`
	Type               string      `json:"type"`
	ArrayType          *paramType  `json:"arrayType,omitempty"`
	// RangeElementType is the type of the ends of a RANGE.
	RangeElementType *paramType        `json:"rangeElementType,omitempty"`
	StructTypes      []paramStructType `json:"structTypes,omitempty"`
}

type paramStructType struct {
	Name string    `json:"name,omitempty"`
	Type paramType `json:"type"`
}

type paramValue struct {
	Value        *paramText            `json:"value,omitempty"`
	ArrayValues  []paramValue          `json:"arrayValues,omitempty"`
	RangeValue   *rangeValue           `json:"rangeValue,omitempty"`
	StructValues map[string]paramValue `json:"structValues,omitempty"`
}

// rangeValue has the ends of a RANGE; nil, or an end without a value, is no bound.
type rangeValue struct {
	Start *paramValue `json:"start,omitempty"`
	End   *paramValue `json:"end,omitempty"`
}

// paramText is the text of a scalar, which may also come as a JSON number or bool.
type paramText string

// UnmarshalJSON reads a text, a number or a bool.
func (t *paramText) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(t))
	case '{', '[':
		return fmt.Errorf("%s is not a scalar value", data)
	}
	*t = paramText(data)
	return nil
}

// queryFields are what jobs.query and the query configuration of jobs.insert
// have in common.
type queryFields struct {
	Query              string            `json:"query,omitempty"`
	UseLegacySQL       *bool             `json:"useLegacySql,omitempty"`
	ParameterMode      string            `json:"parameterMode,omitempty"`
	QueryParameters    []queryParameter  `json:"queryParameters,omitempty"`
	DefaultDataset     *datasetReference `json:"defaultDataset,omitempty"`
	MaximumBytesBilled int64String       `json:"maximumBytesBilled,omitempty"`
	UseQueryCache      *bool             `json:"useQueryCache,omitempty"`

	CreateSession        bool                 `json:"createSession,omitempty"`
	ConnectionProperties []connectionProperty `json:"connectionProperties,omitempty"`
	refusedFields
}

// refusedFields change what a query does, and the sandbox can't do it.
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

// check returns the first field that is set.
func (f *refusedFields) check() *apierror.Error {
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

type sessionInfo struct {
	SessionID string `json:"sessionId"`
}

type transactionInfo struct {
	TransactionID string `json:"transactionId"`
}

// queryRequest is the body of jobs.query.
type queryRequest struct {
	queryFields
	Location        string            `json:"location"`
	DryRun          bool              `json:"dryRun"`
	TimeoutMs       *int64String      `json:"timeoutMs"`
	MaxResults      *int64String      `json:"maxResults"`
	RequestID       string            `json:"requestId"`
	FormatOptions   formatOptions     `json:"formatOptions"`
	JobCreationMode string            `json:"jobCreationMode"`
	JobTimeoutMs    int64String       `json:"jobTimeoutMs"`
	Labels          map[string]string `json:"labels"`
	Reservation     string            `json:"reservation"`
}

// jobResource is a job as jobs.insert takes it and the others send it.
type jobResource struct {
	Kind          string           `json:"kind,omitempty"`
	ETag          string           `json:"etag,omitempty"`
	ID            string           `json:"id,omitempty"`
	SelfLink      string           `json:"selfLink,omitempty"`
	UserEmail     string           `json:"user_email,omitempty"`
	Configuration jobConfiguration `json:"configuration,omitzero"`
	JobReference  *jobReference    `json:"jobReference,omitempty"`
	Statistics    *jobStatistics   `json:"statistics,omitempty"`
	Status        *jobStatus       `json:"status,omitempty"`
	// jobs.list repeats these beside the status.
	State       string          `json:"state,omitempty"`
	ErrorResult *apierror.Proto `json:"errorResult,omitempty"`
}

type jobConfiguration struct {
	JobType      string              `json:"jobType,omitempty"`
	DryRun       bool                `json:"dryRun,omitempty"`
	JobTimeoutMs int64String         `json:"jobTimeoutMs,omitempty"`
	Labels       map[string]string   `json:"labels,omitempty"`
	Reservation  string              `json:"reservation,omitempty"`
	Query        *queryConfiguration `json:"query,omitempty"`
	Load         json.RawMessage     `json:"load,omitempty"`
	Copy         json.RawMessage     `json:"copy,omitempty"`
	Extract      json.RawMessage     `json:"extract,omitempty"`
}

type queryConfiguration struct {
	queryFields
	Priority          string          `json:"priority,omitempty"`
	DestinationTable  *tableReference `json:"destinationTable,omitempty"`
	WriteDisposition  string          `json:"writeDisposition,omitempty"`
	CreateDisposition string          `json:"createDisposition,omitempty"`
}

type jobStatus struct {
	State       string           `json:"state"`
	ErrorResult *apierror.Proto  `json:"errorResult,omitempty"`
	Errors      []apierror.Proto `json:"errors,omitempty"`
}

type jobStatistics struct {
	CreationTime        int64             `json:"creationTime,string,omitempty"`
	StartTime           int64             `json:"startTime,string,omitempty"`
	EndTime             int64             `json:"endTime,string,omitempty"`
	TotalBytesProcessed int64             `json:"totalBytesProcessed,string"`
	TotalSlotMs         int64             `json:"totalSlotMs,string,omitempty"`
	Query               *queryStatistics  `json:"query,omitempty"`
	Load                *loadStatistics   `json:"load,omitempty"`
	SessionInfo         *sessionInfo      `json:"sessionInfo,omitempty"`
	TransactionInfo     *transactionInfo  `json:"transactionInfo,omitempty"`
	NumChildJobs        int64             `json:"numChildJobs,string,omitempty"`
	ParentJobID         string            `json:"parentJobId,omitempty"`
	Script              *scriptStatistics `json:"scriptStatistics,omitempty"`
}

// scriptStatistics say where in a script a job was begun.
type scriptStatistics struct {
	EvaluationKind string       `json:"evaluationKind"`
	StackFrames    []stackFrame `json:"stackFrames"`
}

type stackFrame struct {
	ProcedureID string `json:"procedureId,omitempty"`
	StartLine   int    `json:"startLine"`
	StartColumn int    `json:"startColumn"`
	EndLine     int    `json:"endLine"`
	EndColumn   int    `json:"endColumn"`
	Text        string `json:"text"`
}

type queryStatistics struct {
	StatementType       string            `json:"statementType,omitempty"`
	TotalBytesProcessed int64             `json:"totalBytesProcessed,string"`
	TotalBytesBilled    int64             `json:"totalBytesBilled,string"`
	TotalBytesAccuracy  string            `json:"totalBytesProcessedAccuracy,omitempty"`
	CacheHit            bool              `json:"cacheHit"`
	TotalSlotMs         int64             `json:"totalSlotMs,string,omitempty"`
	ReferencedTables    []tableReference  `json:"referencedTables,omitempty"`
	Schema              *tableSchema      `json:"schema,omitempty"`
	Undeclared          []queryParameter  `json:"undeclaredQueryParameters,omitempty"`
	NumDMLAffectedRows  *int64            `json:"numDmlAffectedRows,string,omitempty"`
	DMLStats            *dmlStats         `json:"dmlStats,omitempty"`
	DDLOperation        string            `json:"ddlOperationPerformed,omitempty"`
	DDLTargetTable      *tableReference   `json:"ddlTargetTable,omitempty"`
	DDLTargetDataset    *datasetReference `json:"ddlTargetDataset,omitempty"`
}

type dmlStats struct {
	InsertedRowCount int64 `json:"insertedRowCount,string,omitempty"`
	DeletedRowCount  int64 `json:"deletedRowCount,string,omitempty"`
	UpdatedRowCount  int64 `json:"updatedRowCount,string,omitempty"`
}

// queryResponse is the answer of jobs.query and, with fewer fields, of
// jobs.getQueryResults. Rows are encoded already.
type queryResponse struct {
	Kind                string          `json:"kind"`
	ETag                string          `json:"etag,omitempty"`
	Schema              *tableSchema    `json:"schema,omitempty"`
	JobReference        *jobReference   `json:"jobReference,omitempty"`
	JobCreationReason   *creationReason `json:"jobCreationReason,omitempty"`
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
	DMLStats            *dmlStats       `json:"dmlStats,omitempty"`
	SessionInfo         *sessionInfo    `json:"sessionInfo,omitempty"`
}

type creationReason struct {
	Code string `json:"code"`
}
