package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

var (
	//go:embed echarts/echarts.common.min.js
	echarts string
	//go:embed page.html
	text string
	tmpl = template.Must(template.New("page").Parse(text))
)

// section is a chart, the table of its numbers and the cost of its query.
type section struct {
	Title  string
	Header []string
	Rows   [][]string
	Option template.JS // of ECharts
	Cost   string
	Job    string // its page in the console; "" in the sandbox
}

// render writes the page: the totals as bars and the years as lines, one for each name. Series is in the order of
// names.
func render(w io.Writer, source string, top []total, series []year, costs [2]driver.Stats) error {
	return tmpl.Execute(w, map[string]any{
		"Source":   source,
		"ECharts":  template.JS(echarts),
		"Sections": []section{totalsSection(top, costs[0]), yearsSection(series, costs[1])},
	})
}

func totalsSection(top []total, stats driver.Stats) section {
	s := section{Title: "The names given most often", Header: []string{"name", "children"}, Cost: cost(stats),
		Job: job(stats)}
	bar := charts.NewBar()
	bar.SetGlobalOptions(options("")...)
	var names []string
	var bars []opts.BarData
	for _, t := range top {
		names = append(names, t.name)
		bars = append(bars, opts.BarData{Value: t.number})
		s.Rows = append(s.Rows, []string{t.name, strconv.FormatInt(t.number, 10)})
	}
	bar.SetXAxis(names).AddSeries("children", bars)
	s.Option = script(bar.RenderSnippet().Option)
	return s
}

func yearsSection(series []year, stats driver.Stats) section {
	s := section{Title: "Children of each year", Header: []string{"year"}, Cost: cost(stats), Job: job(stats)}
	lines := charts.NewLine()
	lines.SetGlobalOptions(options("time")...)
	at := map[int64]int{} // the row of a year
	for from := 0; from < len(series); {
		name := series[from].name
		s.Header = append(s.Header, name)
		var points []opts.LineData
		for ; from < len(series) && series[from].name == name; from++ {
			y := series[from]
			points = append(points, opts.LineData{Value: []any{strconv.FormatInt(y.year, 10), y.number},
				Symbol: "none"})
			if _, ok := at[y.year]; !ok {
				at[y.year] = len(s.Rows)
				s.Rows = append(s.Rows, []string{strconv.FormatInt(y.year, 10)})
			}
			row := &s.Rows[at[y.year]]
			for len(*row) < len(s.Header)-1 { // names before it that the year does not have
				*row = append(*row, "")
			}
			*row = append(*row, strconv.FormatInt(y.number, 10))
		}
		lines.AddSeries(name, points)
	}
	s.Option = script(lines.RenderSnippet().Option)
	return s
}

// script escapes text in the options, so that it can't end the script around
// it.
func script(option string) template.JS { return template.JS(strings.ReplaceAll(option, "</", `<\/`)) }

func options(axis string) []charts.GlobalOpts {
	return []charts.GlobalOpts{
		charts.WithLegendOpts(opts.Legend{Right: "10"}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithXAxisOpts(opts.XAxis{Type: axis, AxisLabel: &opts.AxisLabel{Interval: "0"}}),
	}
}

// cost describes the bytes that a query read and their on-demand price, $6.25 for each TiB
// billed.
func cost(stats driver.Stats) string {
	if stats.CacheHit {
		return "The query's result came from BigQuery's cache: it read and cost nothing."
	}
	return fmt.Sprintf("The query read %.1f MB, and %.1f MB are billed: about $%.6f on demand.",
		float64(stats.BytesProcessed)/1e6, float64(stats.BytesBilled)/1e6, float64(stats.BytesBilled)/(1<<40)*6.25)
}

func job(stats driver.Stats) string {
	if stats.Project == "my-billing-project" { // the sandbox's
		return ""
	}
	return stats.ConsoleURL()
}
