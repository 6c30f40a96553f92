package fakebq

import (
	"net/http"
	"net/url"
	"strings"
)

// grpcPrefixes are the paths of the methods of the Storage Read and Write APIs.
var grpcPrefixes = []string{
	"/google.cloud.bigquery.storage.v1.BigQueryRead/", "/google.cloud.bigquery.storage.v1.BigQueryWrite/",
}

// MethodOf returns the method of a request to the REST or Storage APIs, given its HTTP method and
// target, for proxies; [Unknown] for other requests.
func MethodOf(httpMethod, target string) Method {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return Unknown
	}
	for _, prefix := range grpcPrefixes {
		if name, ok := strings.CutPrefix(u.Path, prefix); ok {
			return Method(name)
		}
	}
	return route(&http.Request{Method: httpMethod, URL: u}).method
}
