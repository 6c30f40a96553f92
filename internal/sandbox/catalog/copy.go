package catalog

import (
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Kinds of tables that were created from another one and refer to it.
const (
	Snapshot = "SNAPSHOT" // whose rows nothing changes
	clone    = "CLONE"
)

// Base is the table from which a clone or a snapshot was created. Their rows
// are copies here.
type Base struct {
	Kind string
	Name googlesql.TableName
	At   time.Time
}

// Describe writes the base into the table's resource; a nil Base writes nothing.
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
