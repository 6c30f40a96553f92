package auth

import (
	"errors"
	"io/fs"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/oauth2"
)

// Addresses that a credentials file may name. Google asks programs that accept such a
// file to check them (golang.org/x/oauth2/google, CredentialsFromJSON).
var (
	stsURL = regexp.MustCompile(
		`^https://sts(\.mtls|\.` + regionLabel + `\.rep)?\.googleapis\.com/v1/(token|introspect)$`)
	impersonationURL = regexp.MustCompile(
		`^https://iamcredentials(\.mtls|\.` + regionLabel + `\.rep)?\.googleapis\.com` +
			`/v1/projects/-/serviceAccounts/[A-Za-z0-9@._-]+:generateAccessToken$`)
	awsURL = regexp.MustCompile(
		`^https://sts\.(\{region\}\.|` + regionLabel + `\.)?amazonaws\.com(\.cn)?(/|\?|$)`)
)

// checkMachine refuses a credentials file that would send a secret to another
// address than Google's.
func checkMachine(kind string, file map[string]any) error {
	text := func(key string) string { s, _ := file[key].(string); return s }
	bad := func(key string) error {
		return configError(adcOp, key+" of credentials of type "+quoted(kind)+" is not an address of Google", adcHint)
	}
	switch kind {
	case "service_account":
		if uri := text("token_uri"); uri != "" && !googleTokenURL.MatchString(uri) && loopbackOrigin(uri) == "" {
			return bad("token_uri")
		}
		if text("client_email") == "" || text("private_key") == "" {
			return configError(adcOp, "the file has no client_email or no private_key", adcHint)
		}
		return nil
	case "impersonated_service_account":
		if !impersonationURL.MatchString(text("service_account_impersonation_url")) {
			return bad("service_account_impersonation_url")
		}
		source, _ := file["source_credentials"].(map[string]any)
		sourceKind, _ := source["type"].(string)
		if sourceKind == "authorized_user" {
			return nil // it names no address
		}
		return checkMachine(sourceKind, source)
	case "external_account":
		for _, key := range []string{"token_url", "token_info_url"} {
			if uri := text(key); uri != "" && !stsURL.MatchString(uri) || uri == "" && key == "token_url" {
				return bad(key)
			}
		}
		if uri := text("service_account_impersonation_url"); uri != "" && !impersonationURL.MatchString(uri) {
			return bad("service_account_impersonation_url")
		}
		source, _ := file["credential_source"].(map[string]any)
		return checkSource(source)
	}
	return configError(adcOp, "credentials of type "+quoted(kind)+" are not supported", adcHint)
}

// checkSource checks where external_account gets the token that it exchanges:
// over https, or from this machine or its cloud's metadata service.
func checkSource(source map[string]any) error {
	for key, allowed := range map[string]func(string) bool{
		"url":                            sourceURL,
		"region_url":                     metadataURL,
		"imdsv2_session_token_url":       metadataURL,
		"regional_cred_verification_url": awsURL.MatchString,
	} {
		if uri, _ := source[key].(string); uri != "" && !allowed(uri) {
			return configError(adcOp, "credential_source."+key+" is not an allowed address",
				"create the file again with gcloud iam workload-identity-pools create-cred-config")
		}
	}
	return nil
}

func sourceURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.User == nil && u.Host != "" && (u.Scheme == "https" || metadataURL(raw))
}

// metadataURL reports whether an address is on this machine or link-local, as
// the metadata services of clouds are.
func metadataURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || u.User != nil || strings.Contains(raw, "\\") {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return loopbackHost(u.Hostname()) ||
		err == nil && (addr.IsLinkLocalUnicast() || addr == netip.MustParseAddr("fd00:ec2::254"))
}

// machineFailure replaces an error of Google's library, which may quote a whole
// answer.
func (e *endpoint) machineFailure(err error) *Error {
	if _, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return e.failure("token", err)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return e.failure("token", err)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return &Error{Op: "token", Description: "a file that the application-default credentials name cannot be read"}
	}
	return &Error{Op: "token", Description: "the application-default credentials give no token",
		Hint: "gcloud auth application-default print-access-token may show the reason"}
}
