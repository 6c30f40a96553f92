package sandbox

import (
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Kinds of tables that are made of another one and remember it.
const (
	snapshot = "SNAPSHOT" // whose rows nothing changes
	clone    = "CLONE"
)

// baseTable is what a clone or a snapshot was made of. Their rows are copies here.
type baseTable struct {
	kind string
	name googlesql.TableName
	at   time.Time
}

func (b *baseTable) describe(out *wire.Table) {
	if b == nil {
		return
	}
	ref, at := wire.ReferenceTo(b.name),
		b.at.UTC().Format("2006-01-02T15:04:05.000Z")
	if b.kind == snapshot {
		out.SnapshotDefinition = &wire.SnapshotDefinition{Base: ref, At: at}
	} else {
		out.CloneDefinition = &wire.CloneDefinition{Base: ref, At: at}
	}
}

// copyMetadata gives a new table what LIKE, COPY and CLONE take over of another one, beside its columns,
// keys and partitions.
func (s *Server) copyMetadata(t *table, stmt *googlesql.Statement) {
	if stmt.Source == nil {
		return
	}
	from := s.catalog.table(*stmt.Source)
	if from == nil { // a temporary table
		return
	}
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	t.friendly, t.text, t.labels, t.expires = from.friendly, from.text, from.labels, from.expires
	t.partitioning, t.schema = from.partitioning, slices.Clone(from.schema)
	switch stmt.Copied {
	case snapshot, clone:
		t.base = &baseTable{stmt.Copied, from.name, t.created}
	}
}
