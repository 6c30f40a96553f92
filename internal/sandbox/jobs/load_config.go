package jobs

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/load"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// loadConfiguration has the fields of configuration.load that the sandbox supports.
type loadConfiguration struct {
	DestinationTable    *wire.TableReference `json:"destinationTable,omitempty"`
	Schema              *wire.Schema         `json:"schema,omitempty"`
	SourceFormat        string               `json:"sourceFormat,omitempty"`
	WriteDisposition    string               `json:"writeDisposition,omitempty"`
	CreateDisposition   string               `json:"createDisposition,omitempty"`
	Autodetect          *bool                `json:"autodetect,omitempty"`
	MaxBadRecords       int64                `json:"maxBadRecords,omitempty"`
	IgnoreUnknownValues bool                 `json:"ignoreUnknownValues,omitempty"`
	Encoding            string               `json:"encoding,omitempty"`
	SkipLeadingRows     wire.Int64           `json:"skipLeadingRows,omitempty"`
	FieldDelimiter      string               `json:"fieldDelimiter,omitempty"`
	Quote               *string              `json:"quote,omitempty"`
	NullMarker          string               `json:"nullMarker,omitempty"`
	AllowJaggedRows     bool                 `json:"allowJaggedRows,omitempty"`
	AllowQuotedNewlines bool                 `json:"allowQuotedNewlines,omitempty"`
}

// parseLoad reads configuration.load. It refuses other fields by name.
func parseLoad(raw json.RawMessage) (*loadConfiguration, *apierror.Error) {
	var c loadConfiguration
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, apierror.Errorf("parseError", "Invalid JSON payload received. %s", err)
	}
	known, err := json.Marshal(loadConfiguration{DestinationTable: &wire.TableReference{}, Schema: &wire.Schema{},
		SourceFormat: "x", WriteDisposition: "x", CreateDisposition: "x", Autodetect: new(bool), MaxBadRecords: 1,
		IgnoreUnknownValues: true, Encoding: "x", SkipLeadingRows: 1, FieldDelimiter: "x", Quote: new(string),
		NullMarker: "x", AllowJaggedRows: true, AllowQuotedNewlines: true})
	if err != nil {
		return nil, apierror.Broken("%s", err)
	}
	var members, all map[string]json.RawMessage
	_ = json.Unmarshal(known, &all) // both were read before
	_ = json.Unmarshal(raw, &members)
	for name, value := range members {
		if all[name] == nil && !wire.Empty(value) {
			if name == "sourceUris" {
				return nil, apierror.Unsupported("loading from Cloud Storage (sourceUris); it loads the bytes of the " +
					"request")
			}
			return nil, apierror.Unsupported("configuration.load." + name)
		}
	}
	return &c, c.check()
}

func (c *loadConfiguration) check() *apierror.Error {
	c.SourceFormat = cmp.Or(c.SourceFormat, "CSV")
	c.WriteDisposition = cmp.Or(c.WriteDisposition, "WRITE_APPEND")
	c.CreateDisposition = cmp.Or(c.CreateDisposition, "CREATE_IF_NEEDED")
	one := func(s string) bool { return len(s) <= 1 }
	switch {
	case c.DestinationTable == nil:
		return apierror.Errorf("required", "Required parameter is missing: destinationTable")
	case strings.Contains(c.DestinationTable.TableID, "$"):
		return apierror.Unsupported("a partition as the destinationTable")
	case slices.Contains([]string{"AVRO", "ORC", "DATASTORE_BACKUP"}, c.SourceFormat):
		return apierror.Unsupported("the sourceFormat " + c.SourceFormat)
	case !slices.Contains([]string{"CSV", "NEWLINE_DELIMITED_JSON", "PARQUET"}, c.SourceFormat):
		return apierror.Errorf("invalid", "Invalid value for sourceFormat: %q.", c.SourceFormat)
	case !slices.Contains([]string{"WRITE_EMPTY", "WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA"},
		c.WriteDisposition):
		return apierror.Errorf("invalid", "Invalid value for writeDisposition: %q.", c.WriteDisposition)
	case !slices.Contains([]string{"CREATE_IF_NEEDED", "CREATE_NEVER"}, c.CreateDisposition):
		return apierror.Errorf("invalid", "Invalid value for createDisposition: %q.", c.CreateDisposition)
	case !slices.Contains([]string{"", "UTF-8", "UTF8"}, strings.ToUpper(c.Encoding)):
		return apierror.Unsupported("the encoding " + c.Encoding)
	case c.SkipLeadingRows < 0 || c.MaxBadRecords < 0:
		return apierror.Errorf("invalid", "skipLeadingRows and maxBadRecords may not be negative.")
	case c.Quote != nil && !one(*c.Quote):
		return apierror.Errorf("invalid", "Quote character should be a single character: %q", *c.Quote)
	case !one(c.delimiter()):
		return apierror.Unsupported("a fieldDelimiter of more than one byte")
	}
	return nil
}

// delimiter returns the byte between the fields of CSV, which may be written as \t or
// tab.
func (c *loadConfiguration) delimiter() string {
	switch c.FieldDelimiter {
	case "":
		return ","
	case `\t`, "tab":
		return "\t"
	}
	return c.FieldDelimiter
}

// options are what package load is told.
func (c *loadConfiguration) options() load.Options {
	o := load.Options{IgnoreUnknownValues: c.IgnoreUnknownValues, MaxBadRecords: c.MaxBadRecords,
		Delimiter: c.delimiter()[0], Quote: `"`, SkipLeadingRows: int(c.SkipLeadingRows), NullMarker: c.NullMarker,
		AllowJaggedRows: c.AllowJaggedRows, AllowQuotedNewlines: c.AllowQuotedNewlines}
	if c.Quote != nil {
		o.Quote = *c.Quote
	}
	return o
}
