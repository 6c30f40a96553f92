package driver

import (
	"context"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// tokenSource hands out the tokens of a connector.
type tokenSource struct {
	source oauth2.TokenSource
	// context gets a token as source does, and gives up when ctx ends; nil if the source can't.
	context func(ctx context.Context) (*oauth2.Token, error)
	// invalidate tells the source of a token that BigQuery refused; nil if it can't be told.
	invalidate func(accessToken string)
}

// signInError marks what came from the token source, however deep the HTTP client wraps it.
type signInError struct{ error }

func (e signInError) Unwrap() error { return e.error }

// Token is for the HTTP transport.
func (s *tokenSource) Token() (*oauth2.Token, error) {
	t, err := s.source.Token()
	if err != nil {
		return nil, signInError{err}
	}
	return t, nil
}

// ready returns when a token is at hand, so that Token need not wait, or when ctx ends.
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

// refusalWatch is a transport that tells the token source which token BigQuery refused: the token's
// expiry does not say.
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
