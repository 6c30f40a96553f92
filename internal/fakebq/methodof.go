package fakebq

import (
	"net/http"
	"net/url"
	"strings"
)

// grpcPrefix is the path of the Storage Read API's methods.
const grpcPrefix = "/google.cloud.bigquery.storage.v1.BigQueryRead/"

// MethodOf returns the method of a request to the REST API or to the Storage Read API, for proxies that see only its
// HTTP method and target; [Unknown] for all else.
func MethodOf(httpMethod, target string) Method {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return Unknown
	}
	if name, ok := strings.CutPrefix(u.Path, grpcPrefix); ok {
		return Method(name)
	}
	return route(&http.Request{Method: httpMethod, URL: u}).method
}
