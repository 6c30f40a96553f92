package wire

import (
	"encoding/json"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Table is a table as the REST API sends it.
type Table struct {
	Kind             string            `json:"kind,omitempty"`
	ETag             string            `json:"etag,omitempty"`
	ID               string            `json:"id,omitempty"`
	SelfLink         string            `json:"selfLink,omitempty"`
	TableReference   TableReference    `json:"tableReference"`
	Type             string            `json:"type,omitempty"`
	Location         string            `json:"location,omitempty"`
	FriendlyName     string            `json:"friendlyName,omitempty"`
	Description      string            `json:"description,omitempty"`
	Labels           map[string]string `json:"labels,omitempty"`
	Schema           *Schema           `json:"schema,omitempty"`
	NumRows          *int64            `json:"numRows,string,omitempty"`
	NumBytes         *int64            `json:"numBytes,string,omitempty"`
	CreationTime     Int64             `json:"creationTime,omitempty"`
	LastModifiedTime Int64             `json:"lastModifiedTime,omitempty"`

	// These make another kind of table, which the sandbox can't.
	View             json.RawMessage `json:"view,omitempty"`
	MaterializedView json.RawMessage `json:"materializedView,omitempty"`
	External         json.RawMessage `json:"externalDataConfiguration,omitempty"`

	ExpirationTime    Int64              `json:"expirationTime,omitempty"`
	TimePartitioning  *TimePartitioning  `json:"timePartitioning,omitempty"`
	RangePartitioning *RangePartitioning `json:"rangePartitioning,omitempty"`
	Clustering        *Clustering        `json:"clustering,omitempty"`
	RequireFilter     bool               `json:"requirePartitionFilter,omitempty"`
	Constraints       *Constraints       `json:"tableConstraints,omitempty"`

	SnapshotDefinition *SnapshotDefinition `json:"snapshotDefinition,omitempty"`
	CloneDefinition    *CloneDefinition    `json:"cloneDefinition,omitempty"`
}

// ViewDefinition is the view of a table's resource.
type ViewDefinition struct {
	Query        string `json:"query"`
	UseLegacySQL *bool  `json:"useLegacySql"`
}

// Dataset is a dataset as the REST API sends it.
type Dataset struct {
	Kind             string            `json:"kind,omitempty"`
	ETag             string            `json:"etag,omitempty"`
	ID               string            `json:"id,omitempty"`
	SelfLink         string            `json:"selfLink,omitempty"`
	DatasetReference DatasetReference  `json:"datasetReference"`
	Location         string            `json:"location,omitempty"`
	FriendlyName     string            `json:"friendlyName,omitempty"`
	Description      string            `json:"description,omitempty"`
	Labels           map[string]string `json:"labels,omitempty"`
	CreationTime     Int64             `json:"creationTime,omitempty"`
	LastModifiedTime Int64             `json:"lastModifiedTime,omitempty"`

	TableExpirationMs     Int64 `json:"defaultTableExpirationMs,omitempty"`
	PartitionExpirationMs Int64 `json:"defaultPartitionExpirationMs,omitempty"`
}

// Project is a project as projects.list sends it.
type Project struct {
	Kind             string           `json:"kind"`
	ID               string           `json:"id"`
	NumericID        string           `json:"numericId"`
	ProjectReference ProjectReference `json:"projectReference"`
	FriendlyName     string           `json:"friendlyName"`
}

// ProjectReference names a project.
type ProjectReference struct {
	ProjectID string `json:"projectId"`
}

// DatasetReference names a dataset.
type DatasetReference struct {
	ProjectID string `json:"projectId,omitempty"`
	DatasetID string `json:"datasetId"`
}

// TableReference names a table.
type TableReference struct {
	ProjectID string `json:"projectId,omitempty"`
	DatasetID string `json:"datasetId"`
	TableID   string `json:"tableId"`
}

// ReferenceTo returns a table's name as messages have it.
func ReferenceTo(t googlesql.TableName) TableReference {
	return TableReference{ProjectID: t.Project, DatasetID: t.Dataset, TableID: t.Table}
}

// SnapshotDefinition says what a snapshot is of.
type SnapshotDefinition struct {
	Base TableReference `json:"baseTableReference"`
	At   string         `json:"snapshotTime"`
}

// CloneDefinition says what a clone is of.
type CloneDefinition struct {
	Base TableReference `json:"baseTableReference"`
	At   string         `json:"cloneTime"`
}

// TimePartitioning is how a table is partitioned by time.
type TimePartitioning struct {
	Type         string `json:"type"`
	ExpirationMs Int64  `json:"expirationMs,omitempty"`
	Field        string `json:"field,omitempty"`
}

// RangePartitioning is how a table is partitioned by a whole number.
type RangePartitioning struct {
	Field string         `json:"field"`
	Range PartitionRange `json:"range"`
}

// PartitionRange are the bounds of partitions: from Start to End, without it, in steps of Interval.
type PartitionRange struct {
	Start    Int64 `json:"start"`
	End      Int64 `json:"end"`
	Interval Int64 `json:"interval"`
}

// Clustering are the columns that a table is clustered by.
type Clustering struct {
	Fields []string `json:"fields"`
}
