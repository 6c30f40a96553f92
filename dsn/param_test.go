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
	for _, tc := range []struct {
		key, want string
		alike     bool
	}{
		{"loaction", "location", true},
		{"Location", "location", true},
		{"locations", "location", true},
		{"clientSecrets", "client_secrets", true},
		{"client-secrets", "client_secrets", true},
		{"client_secrtes", "client_secrets", true},
		{"maxresults", "max_results", true},
		{"logn", "login", true},
		{"timeout", "job_timeout login_timeout", true},
		{"bytes_billed", "maximum_bytes_billed", true},
		{"token_file", "token_dir token_store", true},
		{"disposition", "write_disposition create_disposition", true},
		{"region", "location", true},
		{"projectId", "project", true},
		{"user_agent", "application", true},
		{"wibble", "labels profile auth", false},
		{"", "hd auth user", false},
		{fmt.Sprint(make([]int, 5000)), "application auth client_secrets", false},
	} {
		keys, alike := nearest(tc.key)
		if got := strings.Join(keys, " "); got != tc.want || alike != tc.alike {
			t.Errorf("nearest(%.40q): got %s, %t; want %s, %t", tc.key, got, alike, tc.want, tc.alike)
		}
	}
}

// TestSynonymsAreKeys: a synonym leads to a key, and is none itself.
func TestSynonymsAreKeys(t *testing.T) {
	t.Parallel()
	for name, key := range synonyms {
		if !slices.Contains(queryKeys(), key) || plainKey(name) != name || isSecretKey(name) {
			t.Errorf("synonym %s of %s: want a plain name of a key that is no secret", name, key)
		}
	}
}

// TestUnknownKeyErrors: the text names one to three keys and says where the list is.
func TestUnknownKeyErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ key, want string }{
		{"loaction", "dsn: loaction: is not a key; did you mean location? (all keys: " + manual + ")"},
		{"timeout", "dsn: timeout: is not a key; did you mean job_timeout or login_timeout? " +
			"(all keys: " + manual + ")"},
		{"zzzzzzzz", "dsn: zzzzzzzz: is not a key; nearest to it: time_zone, auth, dry_run (all keys: " + manual + ")"},
		{"abc-123", "dsn: has an unknown key (all keys: " + manual + ")"},
	} {
		if got := unknown(tc.key).Error(); got != tc.want {
			t.Errorf("unknown(%q):\ngot  %s\nwant %s", tc.key, got, tc.want)
		}
	}
	for _, key := range []string{"x", "a_b_c_d", strings.Repeat("q", 32)} {
		if keys, _ := nearest(key); len(keys) < 1 || len(keys) > 3 {
			t.Errorf("nearest(%q): got %d keys; want 1 to 3", key, len(keys))
		}
	}
}
