package dsn

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryFieldHasItsRow holds Config and the table of keys against each other
// by the addresses of the fields.
func TestEveryFieldHasItsRow(t *testing.T) {
	t.Parallel()
	c := new(Config)
	rows := map[any]string{}
	for _, p := range params {
		if other, twice := rows[p.field(c)]; twice {
			t.Errorf("keys %s and %s have one field", other, p.key)
		}
		rows[p.field(c)] = p.key
	}
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		key, ok := rows[v.Field(i).Addr().Interface()]
		if !ok {
			t.Errorf("field %s has no row in params", name)
		}
		if name == "HostedDomain" {
			name = "hd" // OpenID Connect's word
		}
		if plainKey(name) != plainKey(key) {
			t.Errorf("field %s has the key %s; want the same words", name, key)
		}
	}
	if len(rows) != v.NumField() {
		t.Errorf("got %d rows; want %d, one for each field", len(rows), v.NumField())
	}
}

func TestKeysAreSortedAndDescribed(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(params, func(a, b param) int { return strings.Compare(a.key, b.key) }) {
		t.Error("params is not sorted by key; Format would not be canonical")
	}
	manual, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range params {
		if isSecretKey(p.key) {
			t.Errorf("key %s is refused as a secret", p.key)
		}
		if p.inQuery() && !regexp.MustCompile(`(?m)^//\t`+p.key+` `).Match(manual) {
			t.Errorf("key %s is missing from the table in doc.go", p.key)
		}
	}
}

// TestEveryKeyRoundTrips proves that the table of cases has every key, written
// and read.
func TestEveryKeyRoundTrips(t *testing.T) {
	t.Parallel()
	for _, p := range params {
		if !slices.ContainsFunc(good, func(tc goodCase) bool { return p.given(&tc.want) }) {
			t.Errorf("no good case has the key %s", p.key)
		}
		if !slices.ContainsFunc(bad, func(tc badCase) bool { return tc.key == p.key }) {
			t.Errorf("no bad case has the key %s", p.key)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ key, want string }{
		{"loaction", "location"},
		{"Location", "location"},
		{"locations", "location"},
		{"clientSecrets", "client_secrets"},
		{"client-secrets", "client_secrets"},
		{"client_secrtes", "client_secrets"},
		{"maxresults", "max_results"},
		{"timeout", ""},
		{"logn", "login"},
		{"wibble", ""},
		{"", ""},
		{fmt.Sprint(make([]int, 5000)), ""},
	} {
		if got := nearest(tc.key); got != tc.want {
			t.Errorf("nearest(%.40q): got %q; want %q", tc.key, got, tc.want)
		}
	}
}
