package fakebq

import (
	"maps"
	"net/url"
	"slices"
)

// systemParams are the URL parameters of all methods.
var systemParams = []string{
	"$.xgafv",
	"access_token",
	"alt",
	"callback",
	"fields",
	"key",
	"oauth_token",
	"prettyPrint",
	"quotaUser",
	"uploadType",
	"upload_protocol",
}

// urlParams are the URL parameters of each method.
var urlParams = map[Method][]string{
	GetQueryResults: {
		"formatOptions.timestampOutputFormat",
		"formatOptions.useInt64Timestamp",
		"location",
		"maxResults",
		"pageToken",
		"startIndex",
		"timeoutMs",
	},
	Get:      {"location"},
	Cancel:   {"location"},
	List:     {"maxResults", "minCreationTime", "pageToken", "parentJobId", "projection", "stateFilter"},
	GetTable: {"selectedFields", "view"},
}

// checkURL refuses parameters that the method does not have, as the service does: a typing error
// would otherwise have no effect.
func checkURL(m Method, query url.Values) *Error {
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch {
		case !slices.Contains(systemParams, name) && !slices.Contains(urlParams[m], name):
			return &Error{Reason: "badRequest", Location: name,
				Message: "Invalid JSON payload received. Unknown name " +
					"\"" + name + "\": Cannot bind query parameter. Field '" + name +
					"' could not be found in request message."}
		case len(query[name]) > 1 && !(m == List && name == "stateFilter"):
			return &Error{Reason: "badRequest", Location: name,
				Message: "Invalid value for " + name +
					": it is given more than once"}
		}
	}
	return nil
}
