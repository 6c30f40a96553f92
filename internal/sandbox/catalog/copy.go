package catalog

import (
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Kinds of tables that are made of another one and remember it.
const (
	Snapshot = "SNAPSHOT" // whose rows nothing changes
	clone    = "CLONE"
)

// Base is what a clone or a snapshot was made of. Their rows are copies here.
type Base struct {
	Kind string
	Name googlesql.TableName
	At   time.Time
}

// Describe writes what the table was made of into its resource; nil writes nothing.
func (b *Base) Describe(out *wire.Table) {
	if b == nil {
		return
	}
	ref, at := wire.ReferenceTo(b.Name), b.At.UTC().Format("2006-01-02T15:04:05.000Z")
	if b.Kind == Snapshot {
		out.SnapshotDefinition = &wire.SnapshotDefinition{Base: ref, At: at}
	} else {
		out.CloneDefinition = &wire.CloneDefinition{Base: ref, At: at}
	}
}
