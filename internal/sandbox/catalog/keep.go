package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wholefile"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// The files of Config.Dir.
const (
	rowsFile    = "rows.duckdb"  // DuckDB's
	catalogFile = "catalog.json" // what DuckDB does not keep
)

// keptData is the folder that keeps datasets and tables. The zero value keeps nothing.
type keptData struct {
	dir string

	mu   sync.Mutex
	last []byte // of the catalog's file
}

// The catalog as it is in its file. TestKeptFields compares these structs with those that they come
// from.
type (
	keptDataset struct {
		Ref                      wire.DatasetReference
		Location, Friendly, Text string
		Labels                   map[string]string
		Created, Modified        time.Time
		TableDays, PartitionDays float64
		Tables                   []keptTable
		Functions                map[string]*googlesql.Function
		Procedures               map[string]*googlesql.Procedure
	}
	keptTable struct {
		Name              googlesql.TableName
		Columns           []googlesql.Column
		Schema            []wire.Field
		Friendly, Text    string
		Labels            map[string]string
		Created, Modified time.Time
		View              *googlesql.View
		Materialized      bool
		Keys              []googlesql.Key
		Partition         *googlesql.Partition
		Cluster           []string
		PartitionDays     float64
		RequireFilter     bool
		Expires           time.Time
		Base              *keptBase
	}
	keptBase struct {
		Kind string
		Name googlesql.TableName
		At   time.Time
	}
)

// Keep writes the catalog's file, if there is one and it has changed.
func (c *Catalog) Keep() {
	if c.kept.dir == "" {
		return
	}
	c.kept.mu.Lock()
	defer c.kept.mu.Unlock()
	text, err := json.Marshal(c.keptDatasets())
	if err == nil && !bytes.Equal(text, c.kept.last) {
		err = wholefile.Write(filepath.Join(c.kept.dir, catalogFile), text)
	}
	if err != nil {
		c.log.Error("the catalog was not kept", "error", err)
		return
	}
	c.kept.last = text
}

// keptDatasets returns all datasets except the public one, which is loaded at
// each start.
func (c *Catalog) keptDatasets() []keptDataset {
	out := []keptDataset{}
	for _, project := range c.Projects() {
		if project == PublicProject {
			continue
		}
		for _, d := range c.List(project) {
			tables := c.Tables(d)
			c.Mu.RLock()
			k := keptDataset{d.Ref, d.Location, d.FriendlyName, d.Description, d.Labels, d.Created, d.Modified,
				d.TableDays, d.PartitionDays, nil, d.Functions, d.Procedures}
			for _, t := range tables {
				kt := keptTable{t.Name, t.Columns, t.Schema, t.FriendlyName, t.Description, t.Labels, t.Created,
					t.Modified, t.View, t.Materialized, t.Keys, t.Partition, t.Cluster, t.partitionDays,
					t.RequireFilter, t.Expires, nil}
				if b := t.Base; b != nil {
					kt.Base = &keptBase{b.Kind, b.Name, b.At}
				}
				k.Tables = append(k.Tables, kt)
			}
			c.Mu.RUnlock()
			out = append(out, k)
		}
	}
	return out
}

// Open opens DuckDB, with the rows of the folder if there is one, and restores the catalog.
func Open(ctx context.Context, cfg Config) (*Catalog, error) {
	c := &Catalog{time: cfg.Now, location: cfg.Location, log: cfg.Log, kept: keptData{dir: cfg.Dir},
		datasets: map[wire.DatasetReference]*Dataset{}, ddl: make(chan struct{}, 1)}
	duck := engine.Config{MemoryLimit: cfg.MemoryLimit}
	if cfg.Dir != "" {
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("sandbox: DataDir: %w", err)
		}
		duck.File = filepath.Join(cfg.Dir, rowsFile)
	}
	var err error
	if c.db, err = engine.Open(duck); err != nil || cfg.Dir == "" {
		return c, err
	}
	if err := c.restore(ctx); err != nil {
		c.db.Close()
		return nil, fmt.Errorf("sandbox: DataDir: %w", err)
	}
	return c, nil
}

// restore fills the catalog from its file. A sandbox that was killed can have left tables in one of the two alone:
// they are dropped.
func (c *Catalog) restore(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(c.kept.dir, catalogFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var kept []keptDataset
	if len(text) > 0 {
		if err := json.Unmarshal(text, &kept); err != nil {
			return fmt.Errorf("%s: %w", catalogFile, err)
		}
	}
	found, err := c.foundTables(ctx)
	if err != nil {
		return err
	}
	for _, k := range kept {
		d := &Dataset{Ref: k.Ref, Location: k.Location, FriendlyName: k.Friendly, Description: k.Text, Labels: k.Labels,
			Created: k.Created, Modified: k.Modified, TableDays: k.TableDays, PartitionDays: k.PartitionDays}
		schema := SchemaName(k.Ref.ProjectID, k.Ref.DatasetID)
		if found[schema] == nil {
			c.log.Warn("a dataset was lost", "dataset", schema)
			continue
		}
		c.addDataset(d)
		d.Functions, d.Procedures = orEmpty(k.Functions), orEmpty(k.Procedures)
		for _, kt := range k.Tables {
			if kt.View == nil && !found[schema][kt.Name.Table] {
				c.log.Warn("a table was lost", "table", kt.Name.String())
				continue
			}
			c.AddTable(kt.table())
			delete(found[schema], kt.Name.Table)
		}
		d.Modified = k.Modified
		for name := range found[schema] { // of no table
			if _, err := c.db.Exec(ctx, "DROP TABLE "+engine.Quote(schema)+"."+engine.Quote(name)); err != nil {
				return err
			}
		}
		delete(found, schema)
	}
	for schema := range found { // of no dataset, and that of the public names
		if _, err := c.db.Exec(ctx, "DROP SCHEMA "+engine.Quote(schema)+" CASCADE"); err != nil {
			return err
		}
	}
	return nil
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

func (k *keptTable) table() *Table {
	t := NewTable(k.Name, k.Columns, k.Created)
	t.Schema, t.FriendlyName, t.Description, t.Labels, t.Modified = k.Schema, k.Friendly, k.Text, k.Labels, k.Modified
	t.View, t.Materialized, t.Keys, t.Expires = k.View, k.Materialized, k.Keys, k.Expires
	t.partitioning = partitioning{Partition: k.Partition, Cluster: k.Cluster, partitionDays: k.PartitionDays,
		RequireFilter: k.RequireFilter}
	if k.Base != nil {
		t.Base = &Base{k.Base.Kind, k.Base.Name, k.Base.At}
	}
	return t
}

// foundTables returns DuckDB's tables by their schemas. It has only the schemas
// of datasets.
func (c *Catalog) foundTables(ctx context.Context) (map[string]map[string]bool, error) {
	conn, err := c.db.Conn()
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	text := googlesql.Type{Kind: googlesql.String}
	columns := []googlesql.Column{{Name: "schema_name", Type: text}, {Name: "table_name", Type: text}}
	res, err := conn.Query(ctx, "SELECT s.schema_name, t.table_name FROM duckdb_schemas() AS s LEFT JOIN "+
		"duckdb_tables() AS t ON s.database_name = t.database_name AND s.schema_name = t.schema_name WHERE "+
		"s.database_name = current_database() AND s.schema_name LIKE '%.%'", nil, columns, 0)
	if err != nil {
		return nil, err
	}
	found := map[string]map[string]bool{}
	for _, b := range res.Blocks {
		for i := range b.Rows {
			schema := string(b.Columns[0].Bytes(i))
			if found[schema] == nil {
				found[schema] = map[string]bool{}
			}
			if !b.Columns[1].Null(i) {
				found[schema][string(b.Columns[1].Bytes(i))] = true
			}
		}
	}
	return found, nil
}
