package driver

import (
	"context"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// tokenSource provides the access tokens of a connector.
type tokenSource struct {
	source oauth2.TokenSource
	// context gets a token as source does, and returns when ctx ends; nil if the source can't do
	// that.
	context func(ctx context.Context) (*oauth2.Token, error)
	// invalidate tells the source that BigQuery refused a token; nil if the source can't use that.
	invalidate func(accessToken string)
}

// signInError marks an error of the token source, which the HTTP client wraps.
type signInError struct{ error }

func (e signInError) Unwrap() error { return e.error }

// Token returns a token to the HTTP transport.
func (s *tokenSource) Token() (*oauth2.Token, error) {
	t, err := s.source.Token()
	if err != nil {
		return nil, signInError{err}
	}
	return t, nil
}

// ready returns when a token is available, so that Token need not wait, or when ctx ends.
func (s *tokenSource) ready(ctx context.Context) error {
	switch {
	case s == nil:
		return nil
	case s.context != nil:
		if _, err := s.context(ctx); err != nil {
			return signInError{err}
		}
		return nil
	}
	got := make(chan error, 1)
	go func() {
		_, err := s.Token()
		got <- err
	}()
	select {
	case err := <-got:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refusalWatch is a transport that reports tokens that BigQuery refused to the token source,
// because a token can be refused before it expires.
type refusalWatch struct {
	base   http.RoundTripper
	tokens *tokenSource
}

func (w refusalWatch) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.base.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && w.tokens != nil && w.tokens.invalidate != nil {
		w.tokens.invalidate(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	return resp, err
}
