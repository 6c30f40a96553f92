package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// printTable writes the medians of the readers, with their time as a multiple of the plain
// loop's, of database/sql alone and of the official client's over REST.
func printTable(w io.Writer, s shape, rows int, readers []reader, got map[string][]measurement) error {
	loop, official := median(got["plain loop over Arrow cells"], seconds), median(got["official client, REST"], seconds)
	floors := map[bool]float64{ // by whether the variables are of type sql.Null[T]
		false: median(got["database/sql alone, Scan into types"], seconds),
		true:  median(got["database/sql alone, Scan into sql.Null[T]"], seconds),
	}
	text := fmt.Sprintf("\n%s, %d rows\n\n", s.name, rows) +
		"| reader | krows/s | ms | CPU ms | time / plain loop | time / database/sql alone | official REST / time | " +
		"allocs/row | bytes/row | peak RSS MB | requests | ms to the first row of a process |\n" +
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
	for _, r := range readers {
		all := got[r.name]
		t := median(all, seconds)
		name := r.name
		if !r.values {
			name = "*" + name + "*"
		}
		text += fmt.Sprintf("| %s | %.0f | %.2f | %.2f | %s | %s | %s | %.1f | %.0f | %.0f | %.0f | %.1f |\n",
			name, float64(rows)/t/1000, t*1000,
			median(all, func(m measurement) float64 { return m.CPU * 1000 }),
			ratio(t, loop), ratio(t, floors[strings.Contains(r.name, "sql.Null")]), ratio(official, t),
			median(all, func(m measurement) float64 { return m.Allocs }),
			median(all, func(m measurement) float64 { return m.Bytes }),
			median(all, func(m measurement) float64 { return float64(m.RSS) / (1 << 20) }),
			median(all, func(m measurement) float64 { return float64(m.Requests) }),
			median(all, func(m measurement) float64 { return m.Start * 1000 }))
	}
	_, err := io.WriteString(w, text)
	return err
}

func seconds(m measurement) float64 { return m.Seconds }

// median returns 0 if there are no values.
func median(all []measurement, of func(measurement) float64) float64 {
	if len(all) == 0 {
		return 0
	}
	values := make([]float64, len(all))
	for i, m := range all {
		values[i] = of(m)
	}
	slices.Sort(values)
	if mid := len(values) / 2; len(values)%2 == 0 {
		return (values[mid-1] + values[mid]) / 2
	} else {
		return values[mid]
	}
}

func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", a/b)
}
