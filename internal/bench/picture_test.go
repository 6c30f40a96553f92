package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestPicture holds the picture to what was measured: well-formed, a bar for each reader that was
// measured, as long as its speed.
func TestPicture(t *testing.T) {
	t.Parallel()
	got := map[string][]measurement{
		"driver, Storage":         {{Seconds: 0.25}},
		"driver, REST":            {{Seconds: 0.5}},
		"official client, REST":   {{Seconds: 2}},
		"Arrow batches, no cells": {{Seconds: 0.2}},
	}
	var panels []panel
	for _, s := range shapes {
		panels = append(panels, newPanel(s, 1_000_000, got))
	}
	text := picture(panels)
	bars := 0
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the picture is not well-formed: %v\n%s", err, text)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "rect" {
			bars++
		}
	}
	if want := len(shapes) * len(got); bars != want {
		t.Errorf("got %d bars; want %d", bars, want)
	}
	for _, want := range []string{
		"4M rows/s (8.0×)",                 // driver, Storage
		"2M rows/s (4.0×)",                 // driver, REST
		">500k rows/s<",                    // the official client, to which the others are compared
		`width="370.0"`,                    // the longest bar
		"narrow 8 times, wide 8 times",     // the title
		"ARRAY, STRUCT and ARRAY&lt;STRUC", // escaped
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the picture has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "official client, Storage") {
		t.Error("the picture has a bar for a reader that was not measured")
	}
}
