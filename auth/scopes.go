package auth

import (
	"maps"
	"slices"
	"strings"
)

// ScopeBigQuery is the default scope. It allows everything in BigQuery that the
// account may do, and nothing else.
const ScopeBigQuery = "https://www.googleapis.com/auth/bigquery"

const (
	scopePrefix  = "https://www.googleapis.com/auth/"
	scopeOpenID  = "openid"
	scopeEmail   = scopePrefix + "userinfo.email"
	scopeProfile = scopePrefix + "userinfo.profile"
)

// shortScopes are the names that may be written instead of a full scope.
var shortScopes = map[string]string{
	"bigquery":                 ScopeBigQuery,
	"bigquery.readonly":        scopePrefix + "bigquery.readonly",
	"bigquery.insertdata":      scopePrefix + "bigquery.insertdata",
	"cloud-platform":           scopePrefix + "cloud-platform",
	"cloud-platform.read-only": scopePrefix + "cloud-platform.read-only",
	"devstorage.read_only":     scopePrefix + "devstorage.read_only",
	"drive":                    scopePrefix + "drive",
	"drive.readonly":           scopePrefix + "drive.readonly",
	"spreadsheets":             scopePrefix + "spreadsheets",
	"spreadsheets.readonly":    scopePrefix + "spreadsheets.readonly",
	"openid":                   scopeOpenID,
	"email":                    scopeEmail,
	"profile":                  scopeProfile,
}

// implied maps a scope to those whose permission it includes.
var implied = map[string][]string{
	scopePrefix + "cloud-platform": {
		ScopeBigQuery, scopePrefix + "bigquery.readonly", scopePrefix + "bigquery.insertdata",
		scopePrefix + "cloud-platform.read-only", scopePrefix + "devstorage.read_only",
	},
	scopePrefix + "cloud-platform.read-only": {scopePrefix + "bigquery.readonly",
		scopePrefix + "devstorage.read_only"},
	ScopeBigQuery: {scopePrefix + "bigquery.readonly",
		scopePrefix + "bigquery.insertdata"},
	scopePrefix + "drive":        {scopePrefix + "drive.readonly"},
	scopePrefix + "spreadsheets": {scopePrefix + "spreadsheets.readonly"},
}

// shortNames returns the short names of scopes, without control characters.
func shortNames(scopes []string) []string {
	var names []string
	for _, scope := range scopes {
		names = append(names, printable(strings.TrimPrefix(scope, scopePrefix)))
	}
	return names
}

// canonicalScope returns the full form of a scope.
func canonicalScope(scope string) (string, bool) {
	if full, ok := shortScopes[scope]; ok {
		return full, true
	}
	// A scope-token has no space, quote or backslash (RFC 6749, section 3.3).
	ok := strings.HasPrefix(scope, "https://") && !strings.ContainsFunc(scope, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || r == '"' || r == '\\'
	})
	return scope, ok
}

// normalizeScopes returns the full forms, sorted and without duplicates. No
// scopes at all means ScopeBigQuery.
func normalizeScopes(scopes []string) ([]string, error) {
	if len(scopes) == 0 {
		return []string{ScopeBigQuery}, nil
	}
	var out []string
	for i, scope := range scopes {
		full, ok := canonicalScope(strings.TrimSpace(scope))
		if !ok {
			names := slices.Sorted(maps.Keys(shortScopes))
			return nil, configError("configuration",
				"scope number "+itoa(i+1)+" is neither a full scope that starts with https:// nor a known short name",
				"the short names are "+strings.Join(names, ", "))
		}
		out = append(out, full)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// missingScopes returns the scopes of want that granted does not cover.
func missingScopes(want, granted []string) []string {
	have := map[string]bool{}
	for _, scope := range granted {
		full, _ := canonicalScope(scope)
		have[full] = true
		for _, s := range implied[full] {
			have[s] = true
		}
	}
	var missing []string
	for _, scope := range want {
		if !have[scope] {
			missing = append(missing, scope)
		}
	}
	return missing
}
