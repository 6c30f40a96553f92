package main

import (
	_ "embed"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/components"
	"github.com/go-echarts/go-echarts/v2/opts"
)

//go:embed echarts/echarts.common.min.js
var echarts string

// page draws the totals as bars and the years as lines, one for each name. series is in the
// order of names.
func page(top []total, series []year) *components.Page {
	bar := charts.NewBar()
	bar.SetGlobalOptions(options("The names given most often", "")...)
	var names []string
	var bars []opts.BarData
	for _, t := range top {
		names = append(names, t.name)
		bars = append(bars, opts.BarData{Value: t.number})
	}
	bar.SetXAxis(names).AddSeries("children", bars)

	lines := charts.NewLine()
	lines.SetGlobalOptions(options("Children of each year", "time")...)
	for from := 0; from < len(series); {
		name := series[from].name
		var points []opts.LineData
		for ; from < len(series) && series[from].name == name; from++ {
			points = append(points, opts.LineData{
				Value:  []any{strconv.FormatInt(series[from].year, 10), series[from].number},
				Symbol: "none",
			})
		}
		lines.AddSeries(name, points)
	}

	p := components.NewPage().SetPageTitle("Names").AddCharts(bar, lines)
	p.ClearPresetAssets() // the address from which the page would load what it carries
	p.AddCustomizedHeaders("<script>" + echarts + "</script>")
	return p
}

func options(title, axis string) []charts.GlobalOpts {
	return []charts.GlobalOpts{
		charts.WithInitializationOpts(opts.Initialization{Width: "900px", Height: "420px"}),
		charts.WithTitleOpts(opts.Title{Title: title}),
		charts.WithLegendOpts(opts.Legend{Right: "10"}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithXAxisOpts(opts.XAxis{Type: axis, AxisLabel: &opts.AxisLabel{Interval: "0"}}),
	}
}
