package dsn

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	// BigQuery accepts ids shorter than the six characters that a new project
	// needs, and a project's number as its id, so only the alphabet and the maximum
	// length are checked. Lengths are checked beside the expressions: {0,62} in an
	// expression is 62 copies, made at each start of a program.
	projectID  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	domain     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)
	datasetID  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	location   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$`)
	labelKey   = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	labelValue = regexp.MustCompile(`^[a-z0-9_-]*$`)
	jobID      = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	timeZone   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)
	shortScope = regexp.MustCompile(`^[a-z][a-z0-9._-]*$`)
)

// isProject accepts "my-project" and, with a domain, "example.com:my-project".
func isProject(s string) bool {
	if prefix, id, legacy := strings.Cut(s, ":"); legacy {
		return len(prefix) <= 253 && domain.MatchString(prefix) && isProjectID(id)
	}
	return isProjectID(s)
}

func isProjectID(s string) bool { return len(s) <= 30 && projectID.MatchString(s) }

// isDataset accepts "my_dataset" and, in another project, "other-project.my_dataset".
func isDataset(s string) bool {
	if dot := strings.LastIndexByte(s, '.'); dot >= 0 {
		return isProject(s[:dot]) && isDataset(s[dot+1:])
	}
	return len(s) <= 1024 && datasetID.MatchString(s)
}

// isTable accepts "my_table", "my_dataset.my_table" and the decorator of a
// partition, as in "my_table$20260301".
func isTable(s string) bool {
	if dot := strings.LastIndexByte(s, '.'); dot >= 0 {
		return isDataset(s[:dot]) && isTable(s[dot+1:])
	}
	name, decorator, partition := strings.Cut(s, "$")
	return len(s) <= 1024 && name != "" && !strings.ContainsFunc(name, isNotInTableID) &&
		(!partition || datasetID.MatchString(decorator))
}

func isNotInTableID(r rune) bool {
	return r == utf8.RuneError || !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Pc, unicode.Pd, unicode.Zs)
}

func isLocation(s string) bool { return len(s) <= 64 && location.MatchString(s) }

func isDomain(s string) bool { return len(s) <= 253 && domain.MatchString(s) }

// isEmail checks only enough to find a value that was pasted by mistake.
func isEmail(s string) bool {
	name, host, ok := strings.Cut(s, "@")
	return ok && name != "" && len(s) <= 320 && isText(s) && isDomain(strings.ToLower(host)) &&
		!strings.ContainsAny(s, " ,;<>\"")
}

func isLabel(s string) bool { return utf8.RuneCountInString(s) <= 100 && isText(s) }

func isPort(n int) bool { return n >= 0 && n <= 65535 }

func isPositive[T int64 | time.Duration](n T) bool { return n > 0 }

func isMilliseconds(d time.Duration) bool { return d >= time.Millisecond }

// isLabels applies BigQuery's rules for labels, restricted to ASCII.
func isLabels(m map[string]string) bool {
	for key, value := range m {
		if len(key) > 63 || len(value) > 63 || !labelKey.MatchString(key) || !labelValue.MatchString(value) {
			return false
		}
	}
	return len(m) <= 64
}

// isJobIDPrefix leaves room for the random part of a job id, which has at most 1024
// characters.
func isJobIDPrefix(s string) bool { return len(s) <= 990 && jobID.MatchString(s) }

// isTimeZone checks only the shape of a name, because the list of names on this
// machine can differ from BigQuery's.
func isTimeZone(s string) bool { return len(s) <= 64 && timeZone.MatchString(s) }

func isReservation(s string) bool {
	return s == "none" || isResource(s, "projects", "locations", "reservations")
}

func isKMSKey(s string) bool {
	return isResource(s, "projects", "locations", "keyRings", "cryptoKeys")
}

func isResourceID(s string) bool { return len(s) <= 64 && jobID.MatchString(s) }

// isResource accepts a name such as projects/P/locations/L: each collection
// followed by an id.
func isResource(s string, collections ...string) bool {
	parts := strings.Split(s, "/")
	if len(parts) != 2*len(collections) {
		return false
	}
	for i, collection := range collections {
		valid := isResourceID
		if collection == "projects" {
			valid = isProject
		}
		if parts[2*i] != collection || !valid(parts[2*i+1]) {
			return false
		}
	}
	return true
}

// isText refuses control characters and malformed UTF-8.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// isSecretsPath also refuses the content of the file instead of its path.
func isSecretsPath(s string) bool {
	return isText(s) && !strings.HasPrefix(strings.TrimSpace(s), "{")
}

// isHeaderText accepts text that is allowed in the value of an HTTP header.
func isHeaderText(s string) bool {
	return strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// isScopes accepts short names, and URLs in the alphabet of RFC 6749, section 3.3,
// without the comma, which separates scopes in a DSN.
func isScopes(l []string) bool {
	for i, s := range l {
		full, isURL := strings.CutPrefix(s, "https://")
		if isURL && (full == "" || strings.ContainsFunc(full, notScopeChar)) || !isURL && !shortScope.MatchString(s) {
			return false
		}
		if slices.Contains(l[:i], s) {
			return false
		}
	}
	return true
}

func notScopeChar(r rune) bool {
	return r <= ' ' || r > '~' || r == '"' || r == '\\' || r == ','
}

// isEndpoint accepts a base URL. The driver decides which hosts may get access
// tokens, because Go code and the environment can add hosts.
func isEndpoint(s string) bool {
	if strings.ContainsAny(s, "?#@") || !isHeaderText(s) || strings.Contains(s, " ") {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || strings.HasSuffix(u.Host, ":") {
		return false
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return false
		}
	}
	return u.Scheme == "https" || u.Scheme == "http"
}

// isPrivate reports whether requests to a valid endpoint can't be read on the
// network: they are encrypted, or do not leave the machine.
func isPrivate(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && (u.Scheme == "https" || isLoopback(u.Hostname()))
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func isDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
