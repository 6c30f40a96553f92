package sandbox

import (
	"context"
	_ "embed"
	"fmt"
	"os"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// namesParquet is described in data/README.md: Texas only.
//
//go:embed data/ssa_names_tx.parquet
var namesParquet []byte

// namesTable is the public table for which the sandbox has rows.
var namesTable = googlesql.TableName{Project: catalog.PublicProject, Dataset: "usa_names", Table: "usa_1910_current"}

// loadNames fills namesTable. DuckDB reads Parquet only from a file.
func (s *Server) loadNames(ctx context.Context) error {
	file, err := os.CreateTemp("", "sandbox-names-*.parquet")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(namesParquet)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	ref := wire.DatasetReference{ProjectID: namesTable.Project, DatasetID: namesTable.Dataset}
	if err := s.catalog.CreateDataset(ctx, &catalog.Dataset{Ref: ref, Location: "US",
		Description: "Texas only: see the sandbox's data/README.md"}); err != nil {
		return err
	}
	sql := fmt.Sprintf(`CREATE TABLE %s AS
		SELECT state::VARCHAR AS state, gender::VARCHAR AS gender, year::BIGINT AS year,
		name::VARCHAR AS name, number::BIGINT AS number
		FROM read_parquet(%s)`, catalog.TableSQL(namesTable), engine.Literal(file.Name()))
	if _, err := s.db.Exec(ctx, sql); err != nil {
		return err
	}
	text, whole := googlesql.Type{Kind: googlesql.String}, googlesql.Type{Kind: googlesql.Int64}
	s.catalog.AddTable(catalog.NewTable(namesTable, []googlesql.Column{
		{Name: "state", Type: text}, {Name: "gender", Type: text}, {Name: "year", Type: whole},
		{Name: "name", Type: text}, {Name: "number", Type: whole},
	}, s.now()))
	return nil
}

// Exec runs GoogleSQL statements, one after another, as a user who may do
// everything, to create the datasets and tables of a test. Unqualified names
// belong to project. Exec needs no sign-in and creates no job.
func (s *Server) Exec(ctx context.Context, project string, statements ...string) error {
	for _, sql := range statements {
		if err := s.jobs.Do(ctx, jobs.Caller{Admin: true}, project, "", sql); err != nil {
			return fmt.Errorf("sandbox: %s: %w", sql, err)
		}
	}
	return nil
}
