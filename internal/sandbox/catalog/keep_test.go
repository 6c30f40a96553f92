package catalog

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestKeptFields fails when a dataset or a table gets a field that its file does not have.
func TestKeptFields(t *testing.T) {
	t.Parallel()
	for typ, names := range map[reflect.Type][]string{
		reflect.TypeFor[Dataset](): {"Ref", "Location", "FriendlyName", "Description", "Labels", "Created", "Modified",
			"TableDays", "PartitionDays", "Tables", "Functions", "Procedures"},
		reflect.TypeFor[Table](): {"Name", "Columns", "Schema", "FriendlyName", "Description", "Labels", "Created",
			"Modified", "View", "Materialized", "Keys", "partitioning", "Expires", "Base",
			"version", "mutated", "write", "sizes", "Temp"}, // of the running sandbox alone
		reflect.TypeFor[partitioning](): {"Partition", "Cluster", "partitionDays", "RequireFilter", "swept",
			"sweptVersion"},
		reflect.TypeFor[Base](): {"Kind", "Name", "At"},
	} {
		for i := range typ.NumField() {
			if name := typ.Field(i).Name; !slices.Contains(names, name) {
				t.Errorf("%s: the field %s is not kept by keep.go", typ, name)
			}
		}
	}
	if got := (&keptTable{Expires: time.Unix(1, 0)}).table(); !got.Expires.Equal(time.Unix(1, 0)) {
		t.Errorf("got %v", got.Expires)
	}
}
