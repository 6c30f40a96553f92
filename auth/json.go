package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// parseObject reads one JSON object. A repeated key is an error, because
// readers differ in which one they use. The error repeats no part of the text.
func parseObject(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	value, err := parseValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has text after the JSON object")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the file is not a JSON object")
	}
	return object, nil
}

// knownKeys are the keys that libraries read from files of credentials. They ignore case, so a key
// in another case could replace one that was checked.
var knownKeys = []string{
	"account", "audience", "auth_uri", "certificate", "client_email", "client_id", "client_secret", "command",
	"credential_source", "delegates", "environment_id", "executable", "file", "format", "headers",
	"imdsv2_session_token_url", "installed", "private_key", "private_key_id", "project_id", "quota_project_id",
	"redirect_uris", "refresh_token", "region_url", "regional_cred_verification_url", "revoke_url", "scopes",
	"service_account_impersonation", "service_account_impersonation_url", "source_credentials",
	"subject_token_field_name", "subject_token_type", "timeout_millis", "token_info_url", "token_lifetime_seconds",
	"token_uri", "token_url", "type", "universe_domain", "url", "web", "workforce_pool_user_project",
}

// ambiguous reports whether the object already has a key, in any case, or whether it is a known key
// in another case.
func ambiguous(object map[string]any, name string) bool {
	for other := range object {
		if strings.EqualFold(name, other) {
			return true
		}
	}
	return slices.ContainsFunc(knownKeys, func(known string) bool {
		return name != known && strings.EqualFold(name, known)
	})
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	broken := func() (any, error) {
		return nil, fmt.Errorf("the file is not valid JSON (near byte %d)", dec.InputOffset())
	}
	tok, err := dec.Token()
	if err != nil || depth > 16 {
		return broken()
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	object := map[string]any{}
	list := []any{}
	for dec.More() {
		if delim == '[' {
			value, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
			continue
		}
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return broken()
		}
		if ambiguous(object, name) {
			return nil, fmt.Errorf("the file has a JSON key twice, or in an unusual case (near byte %d)",
				dec.InputOffset())
		}
		if object[name], err = parseValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return broken()
	}
	if delim == '[' {
		return list, nil
	}
	return object, nil
}
