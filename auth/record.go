package auth

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
)

// recordVersion is the version of records that are written. Version 1 did not
// have subject, hosted_domain and granted.
const recordVersion = 2

// maxRecord bounds a stored record; Google's tokens have up to 2 KiB.
const maxRecord = 64 << 10

// Record is one stored sign-in. Its fmt, log and JSON forms hide the tokens. A
// Store writes it with Encode and reads it with DecodeRecord.
type Record struct {
	Version      int       // the version of the encoding that it was read from
	ClientID     string    // the OAuth client that the tokens belong to
	Scopes       []string  // the scopes that were requested, in full and sorted
	Granted      []string  // the scopes that Google said were granted; nil in records of version 1
	Account      string    // the e-mail address that signed in; "" if it was not requested
	Subject      string    // Google's stable id of the account; "" if Account is ""
	HostedDomain string    // the Workspace domain of the account; "" if Account is "" or has none
	RefreshToken string    // long-lived; keep it like a password
	AccessToken  string    // valid for about an hour
	Expiry       time.Time // when AccessToken expires
	Created      time.Time // when the user consented
}

// recordJSON is the stored form.
type recordJSON struct {
	Version      int       `json:"version"`
	ClientID     string    `json:"client_id"`
	Scopes       []string  `json:"scopes"`
	Granted      []string  `json:"granted,omitempty"`
	Account      string    `json:"account,omitempty"`
	Subject      string    `json:"subject,omitempty"`
	HostedDomain string    `json:"hosted_domain,omitempty"`
	RefreshToken string    `json:"refresh_token"`
	AccessToken  string    `json:"access_token,omitempty"`
	Expiry       time.Time `json:"expiry,omitzero"`
	Created      time.Time `json:"created"`
}

// Encode returns the stored form, including the tokens.
func (r *Record) Encode() ([]byte, error) {
	return json.Marshal(recordJSON{
		Version: recordVersion, ClientID: r.ClientID, Scopes: r.Scopes, Granted: r.Granted,
		Account: r.Account, Subject: r.Subject, HostedDomain: r.HostedDomain,
		RefreshToken: r.RefreshToken, AccessToken: r.AccessToken,
		Expiry: r.Expiry.UTC(), Created: r.Created.UTC(),
	})
}

// DecodeRecord returns the record that Encode has written, in this version or an
// earlier one. The error matches ErrNewerRecord if a later version wrote it, and
// ErrCorrupt if it can't be read. It repeats no part of the content.
func DecodeRecord(data []byte) (*Record, error) {
	var raw recordJSON
	if len(data) > maxRecord {
		return nil, fmt.Errorf("%w: larger than 64 KiB", ErrCorrupt)
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%w: not the JSON of a record", ErrCorrupt)
	}
	if raw.Version > recordVersion {
		return nil, fmt.Errorf("%w: its version is %d and this program reads versions up to %d; "+
			"update this program, or give it a profile of its own", ErrNewerRecord, raw.Version, recordVersion)
	}
	if raw.Version < 1 {
		return nil, fmt.Errorf("%w: its version is %d", ErrCorrupt, raw.Version)
	}
	if raw.ClientID == "" || raw.RefreshToken == "" || len(raw.Scopes) == 0 {
		return nil, fmt.Errorf("%w: it is incomplete", ErrCorrupt)
	}
	return &Record{
		Version: raw.Version, ClientID: raw.ClientID, Scopes: raw.Scopes, Granted: raw.Granted,
		Account: raw.Account, Subject: raw.Subject, HostedDomain: raw.HostedDomain,
		RefreshToken: raw.RefreshToken, AccessToken: raw.AccessToken, Expiry: raw.Expiry, Created: raw.Created,
	}, nil
}

// clone returns a copy that shares nothing with r.
func (r *Record) clone() *Record {
	if r == nil {
		return nil
	}
	c := *r
	c.Scopes, c.Granted = slices.Clone(r.Scopes), slices.Clone(r.Granted)
	return &c
}

// String returns the account, the client and the expiry, without the tokens.
func (r Record) String() string {
	account := printable(r.Account)
	if account == "" {
		account = "unnamed account"
	}
	return fmt.Sprintf("auth.Record(%s, client %s, expires %s)", account, r.ClientID,
		r.Expiry.UTC().Format(time.RFC3339))
}

// Format prints String for every verb.
func (r Record) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// LogValue returns String as a value, for package log/slog.
func (r Record) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalJSON returns the record without the tokens. Encode includes them.
func (r Record) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Version  int       `json:"version"`
		ClientID string    `json:"client_id"`
		Scopes   []string  `json:"scopes"`
		Account  string    `json:"account,omitempty"`
		Expiry   time.Time `json:"expiry,omitzero"`
		Created  time.Time `json:"created"`
	}{r.Version, r.ClientID, r.Scopes, r.Account, r.Expiry, r.Created})
}
