package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/guptarohit/asciigraph"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// chart draws the last result: a line if the first column is a number or a time, bars if it is
// text.
func (s *shell) chart() error {
	if s.last == nil || len(s.last.rows) == 0 {
		return errors.New(`\chart draws the last result, but there is none with rows`)
	}
	if len(s.last.columns) != 2 || !s.last.columns[1].number() {
		return errors.New(`\chart draws a result of two columns, the second one numbers`)
	}
	first := s.last.columns[0]
	labels, values := make([]string, len(s.last.rows)), make([]float64, len(s.last.rows))
	for i, row := range s.last.rows {
		label, _ := first.text(row[0])
		labels[i] = strings.ReplaceAll(visible(label), "\n", " ")
		cell, _ := s.last.columns[1].text(row[1])
		values[i], _ = strconv.ParseFloat(cell, 64) // NULL is 0
	}
	width := 80
	if w, _, err := term.GetSize(int(s.stdin.Fd())); err == nil && w > 20 {
		width = w
	}
	drawing := bars(labels, values, width)
	switch first.base() {
	case "INT64", "FLOAT64", "NUMERIC", "DATE", "DATETIME", "TIMESTAMP":
		caption := fmt.Sprintf("%s from %s to %s", visible(s.last.columns[1].name), labels[0], labels[len(labels)-1])
		drawing = asciigraph.Plot(
			values,
			asciigraph.Height(12),
			asciigraph.Width(min(width-15, max(len(values), 40))),
			asciigraph.Caption(caption),
		)
	}
	if s.last.cut {
		drawing += fmt.Sprintf("\n(the first %d rows)", kept)
	}
	_, err := fmt.Fprintln(s.out, drawing)
	return err
}

// bars draws a bar for each value, in eighths of a character. Negative numbers have empty bars.
func bars(labels []string, values []float64, width int) string {
	left, right, most := 0, 0, 0.0
	numbers := make([]string, len(values))
	for i, v := range values {
		numbers[i] = strconv.FormatFloat(v, 'f', -1, 64)
		left, right = max(left, text.StringWidthWithoutEscSequences(labels[i])), max(right, len(numbers[i]))
		most = max(most, v)
	}
	left = min(left, width/3)
	room := max(width-left-right-4, 8)
	var lines []string
	for i, v := range values {
		eighths := 0
		if v > 0 {
			eighths = max(1, int(v/most*float64(room*8)+0.5))
		}
		bar := strings.Repeat("█", eighths/8)
		if rest := eighths % 8; rest > 0 {
			bar += string([]rune(" ▏▎▍▌▋▊▉")[rest])
		}
		label := text.Pad(text.Trim(labels[i], left), left, ' ')
		lines = append(lines, fmt.Sprintf("%s │%s %s", label, bar, numbers[i]))
	}
	return strings.Join(lines, "\n")
}
