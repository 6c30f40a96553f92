package compat

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/civil"
	"github.com/uptrace/bun"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bundialect"
)

// literalTexts are texts that end or change a literal if an escape is missing.
var literalTexts = []string{
	"", "'", `\`, `\'`, `\\'; DROP TABLE users; --`, "'''", `"`, `"""`, "`", "\n\r\t\x00\x7f", "\u0085\u2028\ufeff",
	"?", "?!(", "@a", "@@b", "żółw 🐢", "\xff", "\xc0\xa7", "a\x80'", "-- ", "/*", "*/", "#", "$$", `\x27`, `\u0027`, "%s",
}

// FuzzBunLiteral: a value that bun writes into a statement comes back as it was, and nothing else with it.
func FuzzBunLiteral(f *testing.F) {
	for i, s := range literalTexts {
		f.Add(s, int64(i), float64(i))
	}
	for _, n := range []float64{
		math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), math.MaxFloat64,
		math.SmallestNonzeroFloat64, -1e-300, 1 << 63, 0.1,
	} {
		f.Add("x", int64(math.MinInt64), n)
		f.Add("y", int64(math.MaxInt64), -n)
	}
	db := openBun(f)
	f.Fuzz(func(t *testing.T, text string, n int64, number float64) {
		literalArguments(t, db, text, n, number)
		literalValues(t, db, text, n, number)
		literalTimes(t, db, n, len(text)%25-12)
	})
}

// literalArguments are arguments as bun itself writes them.
func literalArguments(t *testing.T, db *bun.DB, text string, n int64, number float64) {
	var gotText, gotJSON string
	var gotBytes []byte
	var gotN int64
	var gotNumber float64
	err := db.NewRaw("SELECT ?, ?, -?, CAST(? AS FLOAT64), JSON_VALUE(?, '$.a') -- '", text, []byte(text), n, number,
		map[string]any{"a": text}).Scan(t.Context(), &gotText, &gotBytes, &gotN, &gotNumber, &gotJSON)
	switch {
	case !utf8.ValidString(text):
		if err == nil {
			t.Errorf("%q is no text, and came back as %q", text, gotText)
		}
	case n == math.MinInt64, math.Abs(number) >= 1<<63 && !math.IsInf(number, 0): // bun writes whole numbers as INT64
		if err == nil {
			t.Errorf("got %d, %v; want an overflow", gotN, gotNumber)
		}
	case err != nil:
		t.Errorf("%q, %d, %v: %v", text, n, number, err)
	case gotText != text || string(gotBytes) != text || gotN != -n || gotNumber != number && !math.IsNaN(number) ||
		gotJSON != text:
		t.Errorf("%q, %d, %v came back as %q, %q, %d, %v, %q", text, n, number, gotText, gotBytes, gotN, gotNumber, gotJSON)
	}
}

// literalRow has a field of each Go type that needs an escape.
type literalRow struct {
	Text   string
	Bytes  []byte
	Number float64
	N      *int64
	Day    civil.Date
}

// literalValues are arguments as bundialect.Value writes them.
func literalValues(t *testing.T, db *bun.DB, text string, n int64, number float64) {
	row := literalRow{Text: text, Bytes: []byte(text), Number: number, N: &n, Day: civil.Date{Year: 1, Month: 1, Day: 1}}
	encoded, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	var gotRow literalRow
	var gotList []string
	var gotJSON string
	var gotNumber float64
	var gotNil *int64
	query := db.NewRaw("SELECT ?, ?, ?, -?, ? -- '", bundialect.Value(row), bundialect.Value([]string{text, "", text}),
		bundialect.Value(json.RawMessage(encoded)), bundialect.Value(number), bundialect.Value((*int64)(nil)))
	err = db.DB.QueryRowContext(t.Context(), query.String()).
		Scan(driver.As(&gotRow), &gotList, &gotJSON, &gotNumber, &gotNil)
	if !utf8.ValidString(text) {
		if err == nil {
			t.Errorf("%q is no text, and came back as %q", text, gotRow.Text)
		}
		return
	}
	if err != nil {
		t.Errorf("%q, %d, %v: %v", text, n, number, err)
		return
	}
	var decoded string
	if err := json.Unmarshal([]byte(gotJSON), &decoded); err != nil || decoded != text {
		t.Errorf("JSON of %q: got %s, %v", text, gotJSON, err)
	}
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	if gotRow.Text != text || string(gotRow.Bytes) != text || !same(gotRow.Number, number) || gotRow.N == nil ||
		*gotRow.N != n || gotRow.Day != row.Day || !same(gotNumber, -number) || gotNil != nil {
		t.Errorf("got %+v, %v, %v; want %+v, %v", gotRow, gotNumber, gotNil, row, -number)
	}
	if !slices.Equal(gotList, []string{text, "", text}) {
		t.Errorf("got %q; want %q twice", gotList, text)
	}
}

// literalTimes are times of all years, which are written exactly or refused.
func literalTimes(t *testing.T, db *bun.DB, micros int64, hoursEast int) {
	want := time.UnixMicro(micros).In(time.FixedZone("", hoursEast*3600))
	var got time.Time
	err := db.NewRaw("SELECT ? -- '", want).Scan(t.Context(), &got)
	switch year := want.UTC().Year(); {
	case year < 1 || year > 9999:
		if err == nil {
			t.Errorf("got %v; want an error for the year %d", got, year)
		}
	case err != nil || !got.Equal(want):
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// TestBunInjection: text that would end its literal is data, in each clause of a query.
func TestBunInjection(t *testing.T) {
	t.Parallel()
	db := openBun(t, (*writer)(nil), (*novel)(nil))
	ctx := t.Context()
	for _, text := range literalTexts {
		if text == "" || !utf8.ValidString(text) {
			continue
		}
		twice := strings.Repeat(text, 2)
		_, err := db.NewInsert().Model(&novel{ID: text, Title: text}).Exec(ctx)
		check(t, err)
		var got novel
		if err := db.NewSelect().Model(&got).Where("title = ?", text).Where("id IN (?)", bun.List([]string{text, twice})).
			OrderExpr("title = ?", text).Scan(ctx); err != nil || got.Title != text {
			t.Errorf("%q: got %q, %v", text, got.Title, err)
		}
		r, err := db.NewUpdate().Model(&got).Set("title = ?", twice).Where("title = ?", text).WherePK().Exec(ctx)
		check(t, err)
		if n, _ := r.RowsAffected(); n != 1 {
			t.Errorf("%q: changed %d rows; want 1", text, n)
		}
		_, err = db.NewDelete().Model(&got).Where("title = ?", twice).ForceDelete().Exec(ctx)
		check(t, err)
	}
	if n, err := db.NewSelect().Model((*novel)(nil)).WhereAllWithDeleted().Count(ctx); err != nil || n != 0 {
		t.Errorf("got %d rows, %v; want none", n, err)
	}
}
