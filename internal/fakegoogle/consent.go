package fakegoogle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Consent plays the user at the browser. It gets the consent page at authURL, or at an address that
// redirects to it, keeps cookies, chooses the account (email, or the first one if email is ""),
// presses Allow and follows the redirect to the application's loopback port. It returns an error if
// it meets an error page. A nil client means one without idle connections.
func Consent(ctx context.Context, client *http.Client, authURL string, email string) error {
	return answerConsent(ctx, client, authURL, email, "allow")
}

// Deny plays a user who presses Cancel.
func Deny(ctx context.Context, client *http.Client, authURL string) error {
	return answerConsent(ctx, client, authURL, "", "cancel")
}

func answerConsent(ctx context.Context, client *http.Client, authURL, email, decision string) error {
	if client == nil {
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	if client.Jar == nil {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return err
		}
		withJar := *client
		withJar.Jar = jar
		client = &withJar
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, authURL, nil)
	if err != nil {
		return err
	}
	page, at, err := fetch(client, req)
	if err != nil {
		return fmt.Errorf("fakegoogle: consent page: %w", err)
	}
	form, err := parseForm(page)
	if err != nil {
		return err
	}
	if email != "" {
		if !slices.Contains(form.accounts, email) {
			return fmt.Errorf("fakegoogle: the consent page does not offer the account %s", email)
		}
		form.values.Set("account", email)
	}
	form.values.Set("decision", decision)
	action, err := at.Parse(form.action)
	if err != nil {
		return err
	}
	req, err = http.NewRequestWithContext(ctx, http.MethodPost, action.String(),
		strings.NewReader(form.values.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if _, _, err = fetch(client, req); err != nil && (decision == "allow" || !errors.Is(err, errPage)) {
		return fmt.Errorf("fakegoogle: after the consent page: %w", err)
	}
	return nil
}

// errPage is the error of a page with an error status.
var errPage = errors.New("error page")

// fetch returns the body and the final address.
func fetch(client *http.Client, req *http.Request) ([]byte, *url.URL, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode >= 400 {
		return nil, nil, fmt.Errorf("%w: %s", errPage, resp.Status)
	}
	return body, resp.Request.URL, nil
}

// consentForm returns the form of the consent page as a browser would submit it.
type consentForm struct {
	action   string
	values   url.Values
	accounts []string
}

func parseForm(page []byte) (*consentForm, error) {
	doc, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		return nil, fmt.Errorf("fakegoogle: consent page: %w", err)
	}
	var form *consentForm
	for node := range doc.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range node.Attr {
			attr[a.Key] = a.Val
		}
		_, checked := attr["checked"]
		switch {
		case node.DataAtom == atom.Form:
			form = &consentForm{action: attr["action"], values: url.Values{}}
		case node.DataAtom != atom.Input || form == nil:
		case attr["type"] == "radio":
			form.accounts = append(form.accounts, attr["value"])
			if checked {
				form.values.Set(attr["name"], attr["value"])
			}
		case attr["type"] == "hidden", attr["type"] == "checkbox" && checked:
			form.values.Add(attr["name"], attr["value"])
		}
	}
	if form == nil {
		return nil, errors.New("fakegoogle: the page has no consent form")
	}
	return form, nil
}
