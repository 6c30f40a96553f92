package builtin

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// urlScheme is the scheme of a URL with an authority; a relative one has only the slashes.
var urlScheme = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//`)

// host returns the host of a URL, or "" if it has none. BigQuery makes "a best effort" for text that
// is no URL of RFC 3986, which nothing describes: such text is refused.
func host(url string) (string, error) {
	rest := strings.TrimSpace(url)
	scheme := urlScheme.FindString(rest)
	rest = rest[len(scheme):]
	if end := strings.IndexAny(rest, `/?#`); end >= 0 {
		rest = rest[:end]
	}
	user := strings.LastIndexByte(rest, '@')
	if user >= 0 && scheme == "" {
		return "", failf("NET.HOST of %q is not supported by the sandbox", url)
	}
	rest = rest[user+1:]
	name, port, _ := strings.Cut(rest, ":")
	if strings.HasPrefix(rest, "[") {
		address, after, ok := strings.Cut(rest[1:], "]")
		_, valid := parseAddress(address)
		if !ok || !valid {
			return "", failf("NET.HOST of %q is not supported by the sandbox", url)
		}
		name, port = "["+address+"]", strings.TrimPrefix(after, ":")
	}
	odd := func(r rune) bool {
		known := unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-._~%[]:", r)
		return r <= unicode.MaxASCII && !known || !unicode.IsPrint(r)
	}
	if strings.ContainsFunc(name, odd) || strings.Trim(port, "0123456789") != "" || name == "" && url != "" {
		return "", failf("NET.HOST of %q is not supported by the sandbox", url)
	}
	return name, nil
}

// publicSuffix returns the number of labels of a host's public suffix: of the part of the list that is
// ICANN's. It is 0 if there is none.
func publicSuffix(labels []string) int {
	ascii, err := idna.Lookup.ToASCII(strings.Join(labels, "."))
	if err != nil {
		ascii = strings.ToLower(strings.Join(labels, "."))
	}
	for {
		suffix, icann := publicsuffix.PublicSuffix(ascii)
		_, parent, dot := strings.Cut(suffix, ".")
		switch {
		case icann:
			return strings.Count(suffix, ".") + 1
		case !dot:
			return 0
		}
		ascii = parent // the suffix is that of a company
	}
}

// domain returns the last labels of the host of a URL: those of its public suffix, and more.
func domain(url string, more int) (Value, error) {
	name, err := host(url)
	if err != nil || name == "" || strings.HasPrefix(name, "[") {
		return null, err
	}
	if strings.Trim(name, ".") != name {
		return null, failf("A public suffix of %q is not supported by the sandbox", url)
	}
	labels := strings.Split(name, ".")
	n := publicSuffix(labels)
	if n == 0 || n+more > len(labels) || strings.Contains(name, "..") {
		return null, nil
	}
	return text(strings.Join(labels[len(labels)-n-more:], ".")), nil
}

func init() {
	def("bq_net_host", "STRING -> STRING", func(a []Value) (Value, error) {
		name, err := host(a[0].Text)
		return Value{Text: name, Null: name == ""}, err
	})
	def("bq_net_public_suffix", "STRING -> STRING", func(a []Value) (Value, error) { return domain(a[0].Text, 0) })
	def("bq_net_reg_domain", "STRING -> STRING", func(a []Value) (Value, error) { return domain(a[0].Text, 1) })
}
