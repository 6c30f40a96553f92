package sandbox

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// pageOf reads the query parameters that choose rows.
func pageOf(params url.Values, owner string) (jobs.Page, *apierror.Error) {
	var page jobs.Page
	limit, err := intParam(params, "maxResults")
	if err != nil {
		return page, err
	}
	format := wire.FormatOptions{
		UseInt64Timestamp:     params.Get("formatOptions.useInt64Timestamp") == "true",
		TimestampOutputFormat: params.Get("formatOptions.timestampOutputFormat"),
	}
	if page, err = jobs.NewPage(format, limit); err != nil {
		return page, err
	}
	start, err := intParam(params, "startIndex")
	if err != nil {
		return page, err
	}
	if token := params.Get("pageToken"); token != "" {
		if start != nil {
			return page, apierror.Errorf("invalid", "Only one of pageToken and startIndex may be given.")
		}
		page.Start, err = jobs.ParsePageToken(token, owner)
		return page, err
	}
	if start != nil {
		if *start < 0 {
			return page, apierror.Errorf("invalid", "Invalid startIndex %d: it may not be negative.", *start)
		}
		page.Start = int64(*start)
	}
	return page, nil
}

// intParam returns nil for a parameter that is not given.
func intParam(params url.Values, name string) (*wire.Int64, *apierror.Error) {
	text := params.Get(name)
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, apierror.Errorf("invalid", "Invalid value for %s: %q is not a whole number.", name, text)
	}
	v := wire.Int64(n)
	return &v, nil
}

// pageOfList returns the requested page of a list.
func pageOfList[T any](r *http.Request, list []T, owner string) (page []T, next string, err *apierror.Error) {
	params := r.URL.Query()
	start := int64(0)
	if token := params.Get("pageToken"); token != "" {
		if start, err = jobs.ParsePageToken(token, owner); err != nil {
			return nil, "", err
		}
	}
	limit, err := intParam(params, "maxResults")
	if err != nil {
		return nil, "", err
	}
	list = list[min(start, int64(len(list))):]
	size := int64(1000)
	if limit != nil && *limit > 0 {
		size = min(size, int64(*limit))
	}
	if size < int64(len(list)) {
		return list[:size], jobs.PageToken(owner, start+size), nil
	}
	return list, "", nil
}
