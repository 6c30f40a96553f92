package sandbox

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
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// The files of Config.DataDir.
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

// The catalog as its file has it. TestKeptFields holds them against the structs that they are made of.
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

// keep writes the catalog's file, if there is one and it has changed.
func (s *Server) keep() {
	if s.kept.dir == "" {
		return
	}
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	text, err := json.Marshal(s.catalog.kept())
	if err == nil && !bytes.Equal(text, s.kept.last) {
		err = writeFile(filepath.Join(s.kept.dir, catalogFile), text)
	}
	if err != nil {
		s.log.Error("the catalog was not kept", "error", err)
		return
	}
	s.kept.last = text
}

// kept are the datasets but the public one, which is loaded at each start.
func (c *catalog) kept() []keptDataset {
	out := []keptDataset{}
	for _, project := range c.projects() {
		if project == publicProject {
			continue
		}
		for _, d := range c.list(project) {
			tables := c.tables(d)
			c.mu.RLock()
			k := keptDataset{d.ref, d.location, d.friendly, d.text, d.labels, d.created, d.modified, d.tableDays,
				d.partitionDays, nil, d.functions, d.procedures}
			for _, t := range tables {
				kt := keptTable{t.name, t.columns, t.schema, t.friendly, t.text, t.labels, t.created, t.modified, t.view,
					t.materialized, t.keys, t.partition, t.cluster, t.partitionDays, t.requireFilter, t.expires, nil}
				if b := t.base; b != nil {
					kt.Base = &keptBase{b.kind, b.name, b.at}
				}
				k.Tables = append(k.Tables, kt)
			}
			c.mu.RUnlock()
			out = append(out, k)
		}
	}
	return out
}

// openData opens DuckDB, with the rows of the folder if there is one, and restores the catalog.
func (s *Server) openData(ctx context.Context) error {
	cfg := engine.Config{MemoryLimit: s.cfg.MemoryLimit}
	if s.kept.dir = s.cfg.DataDir; s.kept.dir != "" {
		if err := os.MkdirAll(s.kept.dir, 0o700); err != nil {
			return fmt.Errorf("sandbox: DataDir: %w", err)
		}
		cfg.File = filepath.Join(s.kept.dir, rowsFile)
	}
	var err error
	if s.db, err = engine.Open(cfg); err != nil || s.kept.dir == "" {
		return err
	}
	if err := s.restore(ctx); err != nil {
		s.db.Close()
		return fmt.Errorf("sandbox: DataDir: %w", err)
	}
	return nil
}

// restore fills the catalog from its file. A sandbox that was killed can have left tables in one of the two alone:
// they are dropped.
func (s *Server) restore(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(s.kept.dir, catalogFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var kept []keptDataset
	if len(text) > 0 {
		if err := json.Unmarshal(text, &kept); err != nil {
			return fmt.Errorf("%s: %w", catalogFile, err)
		}
	}
	found, err := s.foundTables(ctx)
	if err != nil {
		return err
	}
	for _, k := range kept {
		d := &dataset{ref: k.Ref, location: k.Location, friendly: k.Friendly, text: k.Text, labels: k.Labels,
			created: k.Created, modified: k.Modified, tableDays: k.TableDays, partitionDays: k.PartitionDays}
		schema := schemaName(k.Ref.ProjectID, k.Ref.DatasetID)
		if found[schema] == nil {
			s.log.Warn("a dataset was lost", "dataset", schema)
			continue
		}
		s.catalog.addDataset(d)
		d.functions, d.procedures = orEmpty(k.Functions), orEmpty(k.Procedures)
		for _, kt := range k.Tables {
			if kt.View == nil && !found[schema][kt.Name.Table] {
				s.log.Warn("a table was lost", "table", kt.Name.String())
				continue
			}
			s.catalog.addTable(kt.table())
			delete(found[schema], kt.Name.Table)
		}
		d.modified = k.Modified
		for name := range found[schema] { // of no table
			if _, err := s.db.Exec(ctx, "DROP TABLE "+engine.Quote(schema)+"."+engine.Quote(name)); err != nil {
				return err
			}
		}
		delete(found, schema)
	}
	for schema := range found { // of no dataset, and that of the public names
		if _, err := s.db.Exec(ctx, "DROP SCHEMA "+engine.Quote(schema)+" CASCADE"); err != nil {
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

func (k *keptTable) table() *table {
	t := newTable(k.Name, k.Columns, k.Created)
	t.schema, t.friendly, t.text, t.labels, t.modified = k.Schema, k.Friendly, k.Text, k.Labels, k.Modified
	t.view, t.materialized, t.keys, t.expires = k.View, k.Materialized, k.Keys, k.Expires
	t.partitioning = partitioning{partition: k.Partition, cluster: k.Cluster, partitionDays: k.PartitionDays,
		requireFilter: k.RequireFilter}
	if k.Base != nil {
		t.base = &baseTable{k.Base.Kind, k.Base.Name, k.Base.At}
	}
	return t
}

// foundTables are DuckDB's tables by their schemas, those of datasets alone.
func (s *Server) foundTables(ctx context.Context) (map[string]map[string]bool, error) {
	conn, err := s.db.Conn()
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	text := googlesql.Type{Kind: googlesql.String}
	columns := []googlesql.Column{{Name: "schema_name", Type: text}, {Name: "table_name", Type: text}}
	res, err := conn.Query(ctx, "SELECT s.schema_name, t.table_name FROM duckdb_schemas() AS s LEFT JOIN duckdb_tables() "+
		"AS t ON s.database_name = t.database_name AND s.schema_name = t.schema_name WHERE s.database_name = "+
		"current_database() AND s.schema_name LIKE '%.%'", nil, columns, 0)
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
