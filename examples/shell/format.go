package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// page is the number of rows of a table without a terminal height. The widths of columns are those
// of a page, so that a result is never in memory as a whole.
const page = 1000

// tableWriter writes pages of a table. In a terminal each page is a screen, and the next one waits
// for Enter.
type tableWriter struct {
	s        *shell
	markdown bool
	columns  []column
	t        table.Writer
	height   int
	on       int // rows on this page
	pages    int
}

func (w *tableWriter) begin(columns []column) error {
	w.columns, w.height = columns, page
	if w.s.interactive && w.s.terminal && !w.markdown {
		if _, height, err := term.GetSize(int(w.s.stdin.Fd())); err == nil && height > 8 {
			w.height = height - 5
		}
	}
	w.fresh()
	return nil
}

// fresh starts a page.
func (w *tableWriter) fresh() {
	w.t, w.on = table.NewWriter(), 0
	style := table.StyleLight
	style.Format.Header = text.FormatDefault // names as they are
	if !w.s.colours {
		style.Color = table.ColorOptions{}
	}
	w.t.SetStyle(style)
	header, configs := make(table.Row, len(w.columns)), make([]table.ColumnConfig, len(w.columns))
	for i, c := range w.columns {
		header[i] = visible(c.name)
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: 80}
		if c.number() {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	w.t.AppendHeader(header)
	w.t.SetColumnConfigs(configs)
}

func (w *tableWriter) row(values []any) error {
	if w.on == w.height {
		if err := w.flush(); err != nil {
			return err
		}
		if w.height != page {
			fmt.Fprint(w.s.errOut, "-- more: Enter, or q --")
			if strings.HasPrefix(strings.ToLower(w.s.line()), "q") {
				return errEnough
			}
		}
	}
	row := make(table.Row, len(values))
	for i, v := range values {
		cell, null := w.columns[i].text(v)
		cell = visible(cell)
		if null && w.s.colours {
			cell = text.Faint.Sprint(cell)
		}
		row[i] = cell
	}
	w.t.AppendRow(row)
	w.on++
	return nil
}

func (w *tableWriter) flush() error {
	rendered := ""
	switch {
	case !w.markdown:
		rendered = w.t.Render()
	case w.pages == 0:
		rendered = w.t.RenderMarkdown()
	default: // later pages of a table have no header
		_, rendered, _ = strings.Cut(w.t.RenderMarkdown(), "\n")
		_, rendered, _ = strings.Cut(rendered, "\n")
	}
	w.pages++
	_, err := fmt.Fprintln(w.s.out, rendered)
	w.fresh()
	return err
}

func (w *tableWriter) end(rows int) error {
	if w.on > 0 || rows == 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if w.markdown {
		return nil
	}
	_, err := fmt.Fprintf(w.s.out, "(%s)\n", count(rows))
	return err
}

// expandedWriter writes a line for each value.
type expandedWriter struct {
	out     io.Writer
	columns []column
	width   int
	n       int
}

func (w *expandedWriter) begin(columns []column) error {
	w.columns = columns
	for _, c := range columns {
		w.width = max(w.width, text.StringWidthWithoutEscSequences(visible(c.name)))
	}
	return nil
}

func (w *expandedWriter) row(values []any) error {
	w.n++
	if _, err := fmt.Fprintf(w.out, "-[ row %d ]-\n", w.n); err != nil {
		return err
	}
	for i, c := range w.columns {
		cell, _ := c.text(values[i])
		name := text.Pad(visible(c.name), w.width, ' ')
		if _, err := fmt.Fprintf(w.out, "%s | %s\n", name, visible(cell)); err != nil {
			return err
		}
	}
	return nil
}

func (w *expandedWriter) end(rows int) error {
	_, err := fmt.Fprintf(w.out, "(%s)\n", count(rows))
	return err
}

// csvWriter writes RFC 4180; NULL is an empty field.
type csvWriter struct {
	w       *csv.Writer
	columns []column
}

func newCSV(out io.Writer) *csvWriter { return &csvWriter{w: csv.NewWriter(out)} }

func (w *csvWriter) begin(columns []column) error {
	w.columns = columns
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return w.w.Write(names)
}

func (w *csvWriter) row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		if cell, null := w.columns[i].text(v); !null {
			cells[i] = cell
		}
	}
	return w.w.Write(cells)
}

func (w *csvWriter) end(int) error {
	w.w.Flush()
	return w.w.Error()
}

// jsonWriter writes an object for each row, with members in the order of the columns: one per line,
// or all in an array.
type jsonWriter struct {
	out     io.Writer
	array   bool
	columns []column
	n       int
}

func (w *jsonWriter) begin(columns []column) error {
	w.columns = columns
	return nil
}

func (w *jsonWriter) row(values []any) error {
	var object driver.Struct
	for i, v := range values {
		object.Fields = append(object.Fields, driver.StructField{Name: w.columns[i].name, Value: w.columns[i].plain(v)})
	}
	encoded, err := json.Marshal(object)
	if err != nil {
		return err
	}
	before := ""
	if w.array {
		before = "[\n"
		if w.n > 0 {
			before = ",\n"
		}
	} else if w.n > 0 {
		before = "\n"
	}
	w.n++
	_, err = fmt.Fprint(w.out, before, string(encoded))
	return err
}

func (w *jsonWriter) end(rows int) error {
	text := "\n"
	switch {
	case w.array && rows == 0:
		text = "[]\n"
	case w.array:
		text = "\n]\n"
	case rows == 0:
		text = ""
	}
	_, err := io.WriteString(w.out, text)
	return err
}
