package wire

import (
	"encoding/json"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
)

// LoadStatistics is statistics.load of a job.
type LoadStatistics struct {
	InputFiles     int64 `json:"inputFiles,string"`
	InputFileBytes int64 `json:"inputFileBytes,string"`
	OutputRows     int64 `json:"outputRows,string"`
	OutputBytes    int64 `json:"outputBytes,string"`
	BadRecords     int64 `json:"badRecords,string"`
}

// CopyStatistics is statistics.copy of a job.
type CopyStatistics struct {
	CopiedRows         int64 `json:"copiedRows,string"`
	CopiedLogicalBytes int64 `json:"copiedLogicalBytes,string"`
}

// JobReference names a job.
type JobReference struct {
	ProjectID string `json:"projectId,omitempty"`
	JobID     string `json:"jobId,omitempty"`
	Location  string `json:"location,omitempty"`
}

// String returns the job's id as errors and system variables show it:
// project:location.job.
func (r JobReference) String() string { return r.ProjectID + ":" + r.Location + "." + r.JobID }

// SessionInfo names the session of a job.
type SessionInfo struct {
	SessionID string `json:"sessionId"`
}

// TransactionInfo names the transaction of a job.
type TransactionInfo struct {
	TransactionID string `json:"transactionId"`
}

// Job is a job as jobs.insert receives it and the other methods send it.
type Job struct {
	Kind          string           `json:"kind,omitempty"`
	ETag          string           `json:"etag,omitempty"`
	ID            string           `json:"id,omitempty"`
	SelfLink      string           `json:"selfLink,omitempty"`
	UserEmail     string           `json:"user_email,omitempty"`
	Configuration JobConfiguration `json:"configuration,omitzero"`
	JobReference  *JobReference    `json:"jobReference,omitempty"`
	Statistics    *JobStatistics   `json:"statistics,omitempty"`
	Status        *JobStatus       `json:"status,omitempty"`
	// jobs.list repeats these beside the status.
	State       string          `json:"state,omitempty"`
	ErrorResult *apierror.Proto `json:"errorResult,omitempty"`
}

// JobConfiguration is the configuration of a job.
type JobConfiguration struct {
	JobType      string              `json:"jobType,omitempty"`
	DryRun       bool                `json:"dryRun,omitempty"`
	JobTimeoutMs Int64               `json:"jobTimeoutMs,omitempty"`
	Labels       map[string]string   `json:"labels,omitempty"`
	Reservation  string              `json:"reservation,omitempty"`
	Query        *QueryConfiguration `json:"query,omitempty"`
	Load         json.RawMessage     `json:"load,omitempty"`
	Copy         json.RawMessage     `json:"copy,omitempty"`
	Extract      json.RawMessage     `json:"extract,omitempty"`
}

// QueryConfiguration is the configuration of a query job.
type QueryConfiguration struct {
	QueryFields
	Priority          string          `json:"priority,omitempty"`
	DestinationTable  *TableReference `json:"destinationTable,omitempty"`
	WriteDisposition  string          `json:"writeDisposition,omitempty"`
	CreateDisposition string          `json:"createDisposition,omitempty"`
}

// JobStatus is the state of a job, and its error if it has failed.
type JobStatus struct {
	State       string           `json:"state"`
	ErrorResult *apierror.Proto  `json:"errorResult,omitempty"`
	Errors      []apierror.Proto `json:"errors,omitempty"`
}

// JobStatistics are the statistics of a job.
type JobStatistics struct {
	CreationTime        int64             `json:"creationTime,string,omitempty"`
	StartTime           int64             `json:"startTime,string,omitempty"`
	EndTime             int64             `json:"endTime,string,omitempty"`
	TotalBytesProcessed int64             `json:"totalBytesProcessed,string"`
	TotalSlotMs         int64             `json:"totalSlotMs,string,omitempty"`
	Query               *QueryStatistics  `json:"query,omitempty"`
	Load                *LoadStatistics   `json:"load,omitempty"`
	Copy                *CopyStatistics   `json:"copy,omitempty"`
	SessionInfo         *SessionInfo      `json:"sessionInfo,omitempty"`
	TransactionInfo     *TransactionInfo  `json:"transactionInfo,omitempty"`
	NumChildJobs        int64             `json:"numChildJobs,string,omitempty"`
	ParentJobID         string            `json:"parentJobId,omitempty"`
	Script              *ScriptStatistics `json:"scriptStatistics,omitempty"`
}

// ScriptStatistics say where in a script a job was started.
type ScriptStatistics struct {
	EvaluationKind string       `json:"evaluationKind"`
	StackFrames    []StackFrame `json:"stackFrames"`
}

// StackFrame is a place in a script's text.
type StackFrame struct {
	ProcedureID string `json:"procedureId,omitempty"`
	StartLine   int    `json:"startLine"`
	StartColumn int    `json:"startColumn"`
	EndLine     int    `json:"endLine"`
	EndColumn   int    `json:"endColumn"`
	Text        string `json:"text"`
}

// QueryStatistics are the statistics of a query job.
type QueryStatistics struct {
	StatementType       string            `json:"statementType,omitempty"`
	TotalBytesProcessed int64             `json:"totalBytesProcessed,string"`
	TotalBytesBilled    int64             `json:"totalBytesBilled,string"`
	TotalBytesAccuracy  string            `json:"totalBytesProcessedAccuracy,omitempty"`
	CacheHit            bool              `json:"cacheHit"`
	TotalSlotMs         int64             `json:"totalSlotMs,string,omitempty"`
	ReferencedTables    []TableReference  `json:"referencedTables,omitempty"`
	Schema              *Schema           `json:"schema,omitempty"`
	Undeclared          []QueryParameter  `json:"undeclaredQueryParameters,omitempty"`
	NumDMLAffectedRows  *int64            `json:"numDmlAffectedRows,string,omitempty"`
	DMLStats            *DMLStats         `json:"dmlStats,omitempty"`
	DDLOperation        string            `json:"ddlOperationPerformed,omitempty"`
	DDLTargetTable      *TableReference   `json:"ddlTargetTable,omitempty"`
	DDLTargetDataset    *DatasetReference `json:"ddlTargetDataset,omitempty"`
}

// DMLStats count the rows that a DML statement has changed.
type DMLStats struct {
	InsertedRowCount int64 `json:"insertedRowCount,string,omitempty"`
	DeletedRowCount  int64 `json:"deletedRowCount,string,omitempty"`
	UpdatedRowCount  int64 `json:"updatedRowCount,string,omitempty"`
}
