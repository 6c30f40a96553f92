package gormdialect

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// Table describes the table of a model beyond its columns. All fields are optional.
type Table struct {
	PartitionBy string   // an expression, such as DATE(created_at) or TIMESTAMP_TRUNC(seen, HOUR)
	ClusterBy   []string // names of at most four columns
	Options     string   // the content of OPTIONS(...), such as partition_expiration_days = 90
}

// Tabler is a model that describes its table. The tags partition and cluster of fields are a short
// form:
//
//	Day  civil.Date `gorm:"partition"`        // or partition:MONTH, partition:HOUR; of an INT64 partition:0,1000,10
//	User string     `gorm:"cluster:1"`
type Tabler interface{ BigQueryTable() Table }

// CreateTable creates the tables of models, in order. It adds a foreign key to a later table when all
// tables exist.
func (m Migrator) CreateTable(values ...any) error {
	later := map[reflect.Type]bool{}
	for _, value := range values {
		if _, ok := value.(string); ok {
			return fmt.Errorf("gormdialect: CreateTable: got %q, the name of a table; want a model", value)
		}
		later[modelType(value)] = true
	}
	var alters []string
	for _, value := range values {
		if err := m.RunWithValue(value, func(stmt *gorm.Statement) error {
			m.warn(stmt)
			var late []string
			text, err := m.createSQL(stmt, func(c *schema.Constraint) bool {
				if later[c.ReferenceSchema.ModelType] {
					late = append(late, "ADD "+m.foreignKeySQL(stmt, c))
					return false
				}
				return true
			})
			if err != nil {
				return err
			}
			if len(late) > 0 {
				alters = append(alters, "ALTER TABLE "+m.path(stmt)+" "+strings.Join(late, ", "))
			}
			delete(later, stmt.Schema.ModelType)
			return m.exec(text)
		}); err != nil {
			return err
		}
	}
	for _, text := range alters {
		if err := m.exec(text); err != nil {
			return err
		}
	}
	return nil
}

func modelType(v any) reflect.Type {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// createSQL returns the CREATE TABLE statement of a model, with the foreign keys that inline
// selects.
func (m Migrator) createSQL(stmt *gorm.Statement, inline func(*schema.Constraint) bool) (string, error) {
	readable(stmt.Schema)
	var list []string
	for _, name := range stmt.Schema.DBNames {
		field := stmt.Schema.FieldsByDBName[name]
		if field.IgnoreMigration {
			continue
		}
		if err := checkField(field); err != nil {
			return "", err
		}
		list = append(list, stmt.Quote(name)+" "+m.FullDataTypeOf(field).SQL)
	}
	if len(list) == 0 {
		return "", fmt.Errorf("gormdialect: model %s has no columns", stmt.Schema.Name)
	}
	if !m.dialector.WithoutKeys && m.canBeKey(stmt.Schema.PrimaryFields) {
		list = append(list, "PRIMARY KEY ("+columnList(stmt, stmt.Schema.PrimaryFields)+") NOT ENFORCED")
	}
	for _, c := range m.foreignKeys(stmt) {
		if inline(c) {
			list = append(list, m.foreignKeySQL(stmt, c))
		}
	}
	text := "CREATE TABLE " + m.path(stmt) + " (" + strings.Join(list, ", ") + ")"
	table, err := tableOf(stmt)
	if err != nil {
		return "", err
	}
	if table.PartitionBy != "" {
		text += " PARTITION BY " + table.PartitionBy
	}
	if len(table.ClusterBy) > 0 {
		quoted := make([]string, len(table.ClusterBy))
		for i, name := range table.ClusterBy {
			quoted[i] = stmt.Quote(name)
		}
		text += " CLUSTER BY " + strings.Join(quoted, ", ")
	}
	if table.Options != "" {
		text += " OPTIONS(" + table.Options + ")"
	}
	if more, ok := m.DB.Get("gorm:table_options"); ok {
		text += " " + strings.TrimSpace(fmt.Sprint(more))
	}
	return text, nil
}

// checkField returns an error for tags that only other databases support.
func checkField(field *schema.Field) error {
	if counted(field) {
		return fmt.Errorf("%w: remove the tag autoIncrement of %s.%s: only keys are made when a row is created",
			ErrAutoIncrement, field.Schema.Name, field.Name)
	}
	if t := columntype.Base(string(field.DataType)); strings.HasSuffix(t, "SERIAL") {
		return fmt.Errorf("%w: %s.%s has the type %s", ErrAutoIncrement, field.Schema.Name, field.Name, t)
	}
	return nil
}

func columnList(stmt *gorm.Statement, fields []*schema.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = stmt.Quote(f.DBName)
	}
	return strings.Join(names, ", ")
}

// tableOf returns the description of a model's table, from its method and its tags.
func tableOf(stmt *gorm.Statement) (Table, error) {
	var table Table
	if t, ok := reflect.New(stmt.Schema.ModelType).Interface().(Tabler); ok {
		table = t.BigQueryTable()
	}
	type position struct {
		at   int
		name string
	}
	var cluster []position
	for _, field := range stmt.Schema.Fields {
		if field.DBName == "" {
			continue
		}
		if by, ok := field.TagSettings["PARTITION"]; ok {
			if table.PartitionBy != "" {
				return table, fmt.Errorf(
					"gormdialect: model %s: BigQuery partitions a table by one expression, but there is %s and "+
						"field %s",
					stmt.Schema.Name,
					table.PartitionBy,
					field.Name,
				)
			}
			expr, err := partitionSQL(stmt, field, by)
			if err != nil {
				return table, err
			}
			table.PartitionBy = expr
		}
		if at, ok := field.TagSettings["CLUSTER"]; ok {
			n, err := strconv.Atoi(at)
			if err != nil && !strings.EqualFold(at, "CLUSTER") {
				return table, fmt.Errorf(
					"gormdialect: %s.%s: the tag cluster takes a position, not %q",
					stmt.Schema.Name,
					field.Name,
					at,
				)
			}
			cluster = append(cluster, position{n, field.DBName})
		}
	}
	slices.SortStableFunc(cluster, func(a, b position) int { return cmp.Compare(a.at, b.at) })
	for _, c := range cluster {
		table.ClusterBy = append(table.ClusterBy, c.name)
	}
	return table, nil
}

// partitionSQL returns the expression of a tag partition.
func partitionSQL(stmt *gorm.Statement, field *schema.Field, by string) (string, error) {
	column, kind := stmt.Quote(field.DBName), columntype.Base(typeOfColumn(stmt.DB, field))
	if strings.Contains(by, "(") {
		return by, nil
	}
	plain := strings.EqualFold(by, "PARTITION") // the tag has no value
	switch kind {
	case "DATE", "TIMESTAMP", "DATETIME":
		switch {
		case plain && kind == "DATE":
			return column, nil
		case plain:
			return "DATE(" + column + ")", nil
		}
		return kind + "_TRUNC(" + column + ", " + strings.ToUpper(by) + ")", nil
	case "INT64":
		if parts := strings.Split(by, ","); len(parts) == 3 {
			return "RANGE_BUCKET(" + column + ", GENERATE_ARRAY(" + strings.Join(parts, ", ") + "))", nil
		}
	}
	return "", fmt.Errorf(
		"gormdialect: %s.%s: a %s can't be partitioned by %q: the tag is partition or partition:MONTH of a date or "+
			"time, partition:start,end,step of an INT64",
		stmt.Schema.Name,
		field.Name,
		kind,
		by,
	)
}

// columnOptions returns the OPTIONS of a column, its comment and the tag options; or "".
func columnOptions(field *schema.Field) string {
	var list []string
	if field.Comment != "" {
		list = append(list, description(field))
	}
	if more := field.TagSettings["OPTIONS"]; more != "" {
		list = append(list, more)
	}
	if len(list) == 0 {
		return ""
	}
	return "OPTIONS(" + strings.Join(list, ", ") + ")"
}

func description(field *schema.Field) string {
	return "description = " + string(literal.String(nil, field.Comment))
}
