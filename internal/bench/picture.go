package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"slices"
	"strings"
)

// bar is one reader of the picture.
type bar struct {
	reader string
	label  string
	class  string // of the style sheet
}

// bars are the readers of the picture, from top to bottom.
var bars = []bar{
	{"driver, Storage", "bigqueryuser, Storage Read API", "own"},
	{"driver, REST", "bigqueryuser, REST", "own light"},
	{"official client, Storage", "official client, Storage Read API", "other"},
	{"official client, REST", "official client, REST", "other light"},
	{"Arrow batches, no cells", "Arrow batches, no values made", "floor"},
}

// panel is the part of the picture for one shape: thousands of rows a second by
// reader.
type panel struct {
	shape string
	rows  int
	speed map[string]float64
}

// newPanel returns the panel of a result, of the medians of its readers.
func newPanel(s shape, rows int, got map[string][]measurement) panel {
	p := panel{s.name, rows, map[string]float64{}}
	for reader, all := range got {
		if t := median(all, seconds); t > 0 {
			p.speed[reader] = float64(rows) / t / 1000
		}
	}
	return p
}

// Measures of the picture, in pixels.
const (
	pictureWidth = 760
	labelWidth   = 240
	barHeight    = 18
	barStep      = 24
	panelHead    = 34
	panelFoot    = 14
	valueWidth   = 150
)

// pictureStyle follows the reader's light or dark theme.
const pictureStyle = `
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.head { font-weight: 600 }
.value { font-variant-numeric: tabular-nums }
.own { fill: #1a7f37 } .other { fill: #6e7781 } .floor { fill: none; stroke: #6e7781; stroke-dasharray: 4 3 }
.light { fill-opacity: .6 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .own { fill: #3fb950 } .other { fill: #8b949e } .floor { stroke: #8b949e }
}
`

// picture draws the panels as SVG. Each panel has a scale of its own, because rows of different shapes do
// not compare.
func picture(panels []panel) string {
	var b strings.Builder
	height := 8
	for _, p := range panels {
		height += panelHead + barStep*len(p.bars()) + panelFoot
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" `+
		`role="img">`,
		pictureWidth, height)
	fmt.Fprintf(&b, "\n<title>%s</title>\n<style>%s</style>\n", escaped(pictureTitle(panels)), pictureStyle)
	top := 8
	for _, p := range panels {
		top = p.draw(&b, top)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// pictureTitle describes the picture in words, for screen readers.
func pictureTitle(panels []panel) string {
	var parts []string
	for _, p := range panels {
		own, official := p.speed["driver, Storage"], p.speed["official client, REST"]
		if official > 0 && own > 0 {
			parts = append(parts, fmt.Sprintf("%s %.0f times", p.shape, own/official))
		}
	}
	return "Rows a second of this driver over the Storage Read API, as a multiple of the official client's " +
		"over REST: " +
		strings.Join(parts, ", ")
}

// bars returns those that were measured.
func (p panel) bars() []bar {
	return slices.DeleteFunc(slices.Clone(bars), func(b bar) bool { return p.speed[b.reader] == 0 })
}

// draw draws the panel below top, and returns where the next one begins.
func (p panel) draw(w *strings.Builder, top int) int {
	longest := 0.0
	for _, b := range p.bars() {
		longest = max(longest, p.speed[b.reader])
	}
	fmt.Fprintf(w, `<text class="head" x="0" y="%d">%s</text>`+"\n", top+16,
		escaped(fmt.Sprintf("%s: %s, %s rows", p.shape, shapeWords[p.shape], thousands(float64(p.rows)))))
	official := p.speed["official client, REST"]
	y := top + panelHead
	for _, b := range p.bars() {
		speed := p.speed[b.reader]
		width := speed / longest * (pictureWidth - labelWidth - valueWidth)
		value := thousands(speed*1000) + " rows/s"
		if official > 0 && b.reader != "official client, REST" {
			value += fmt.Sprintf(" (%.1f×)", speed/official)
		}
		fmt.Fprintf(w, `<text x="0" y="%d">%s</text>`, y+barHeight-5, escaped(b.label))
		fmt.Fprintf(w, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`,
			b.class, labelWidth, y, max(width, 1), barHeight)
		fmt.Fprintf(w, `<text class="value" x="%.1f" y="%d">%s</text>`+"\n",
			labelWidth+width+8, y+barHeight-5, escaped(value))
		y += barStep
	}
	return y + panelFoot
}

// shapeWords describe the rows of a shape.
var shapeWords = map[string]string{
	"narrow": "INT64 and STRING",
	"wide":   "20 columns of 9 types",
	"nested": "ARRAY, STRUCT and ARRAY<STRUCT>",
}

// thousands writes a number with two or three significant digits: 4.2M, 611k.
func thousands(n float64) string {
	switch {
	case n >= 1e6:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", n/1e6), ".0") + "M"
	case n >= 1e3:
		return fmt.Sprintf("%.0fk", n/1e3)
	}
	return fmt.Sprintf("%.0f", n)
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder never fails
	return b.String()
}

// writePicture writes the picture to a file.
func writePicture(file string, panels []panel) error {
	return os.WriteFile(file, []byte(picture(panels)), 0o644)
}
