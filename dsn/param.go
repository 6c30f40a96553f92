package dsn

import (
	"slices"
	"time"
)

// params is the table of all keys, sorted by key. A row parses, formats and
// checks its key. To add a key, add a field to Config, a row here, and a line to
// the tables in doc.go and README.md.
var params = []param{
	row("application", text, func(c *Config) *string { return &c.Application }, isHeaderText,
		"printable ASCII without a space at its ends"),
	choice("auth", func(c *Config) *string { return &c.Auth }, AuthUser, AuthADC, AuthNone),
	row("client_secrets", text, func(c *Config) *string { return &c.ClientSecrets }, isSecretsPath,
		"the path of a client_secrets.json, not its contents").hidden(),
	choice("create_disposition", func(c *Config) *string { return &c.CreateDisposition }, CreateIfNeeded, CreateNever),
	choice("create_session", func(c *Config) *string { return &c.CreateSession },
		CreateSessionAuto, CreateSessionAlways),
	row("dataset", text, func(c *Config) *string { return &c.Dataset }, isDataset,
		"at most 1024 letters a-z and A-Z, digits and underscores, as in bigqueryuser://my-project/my_dataset (of "+
			"another project, as in other-project.my_dataset)").inPath(),
	row("destination_table", text, func(c *Config) *string { return &c.DestinationTable }, isTable,
		"table, dataset.table or project.dataset.table"),
	row("dry_run", flag, func(c *Config) *bool { return &c.DryRun }, func(bool) bool { return true },
		"true or false").orZero(),
	row("endpoint", text, func(c *Config) *string { return &c.Endpoint }, isEndpoint,
		"an https URL, or an http URL of a loopback address (with auth=none of any), without user, query and fragment"),
	row("hd", text, func(c *Config) *string { return &c.HostedDomain }, isDomain,
		"the Workspace domain of the account, such as example.com"),
	choice("job_creation", func(c *Config) *string { return &c.JobCreation }, JobCreationOptional, JobCreationRequired),
	row("job_id_prefix", text, func(c *Config) *string { return &c.JobIDPrefix }, isJobIDPrefix,
		"at most 990 letters a-z and A-Z, digits, _ and -"),
	row("job_timeout", duration, func(c *Config) *time.Duration { return &c.JobTimeout }, isMilliseconds,
		"a time of at least 1ms with its unit, such as 90s or 5m"),
	row("kms_key", text, func(c *Config) *string { return &c.KMSKey }, isKMSKey,
		"the name of a Cloud KMS key, such as projects/P/locations/L/keyRings/R/cryptoKeys/K"),
	row("label_jobs", flag, func(c *Config) *bool { return &c.LabelJobs }, func(bool) bool { return true },
		"true or false").orZero(),
	row("labels", pairs, func(c *Config) *map[string]string { return &c.Labels }, isLabels,
		"key:value pairs, comma separated, of at most 63 lowercase letters, digits, _ and -, such as "+
			"team:sales,app:report"),
	row("location", text, func(c *Config) *string { return &c.Location }, isLocation,
		"a BigQuery location such as US, EU or europe-west1"),
	choice("login", func(c *Config) *string { return &c.Login }, LoginAuto, LoginBrowser, LoginManual, LoginNever),
	row("login_timeout", duration, func(c *Config) *time.Duration { return &c.LoginTimeout }, isPositive,
		"a time above zero with its unit, such as 90s or 5m"),
	row("max_results", long, func(c *Config) *int64 { return &c.MaxResults }, isPositive,
		"a whole number of rows, at least 1"),
	row("maximum_bytes_billed", size, func(c *Config) *int64 { return &c.MaximumBytesBilled }, isPositive,
		bytesWanted),
	choice("priority", func(c *Config) *string { return &c.Priority }, PriorityInteractive, PriorityBatch),
	row("profile", text, func(c *Config) *string { return &c.Profile }, isLabel,
		"a label of at most 100 characters without control characters"),
	row("project", text, func(c *Config) *string { return &c.Project }, isProject,
		"a project id of lowercase letters, digits and hyphens, as in bigqueryuser://my-project (with a domain, as in "+
			"bigqueryuser:///?project=example.com:my-project)").inPath().required(),
	row("quota_project", text, func(c *Config) *string { return &c.QuotaProject }, isProject,
		"a project id of lowercase letters, digits and hyphens"),
	choice("read_api", func(c *Config) *string { return &c.ReadAPI }, ReadAPIAuto, ReadAPIREST, ReadAPIStorage),
	row("redirect_port", integer, func(c *Config) *int { return &c.RedirectPort }, isPort,
		"a port number from 0 to 65535").orZero(),
	row("reservation", resource, func(c *Config) *string { return &c.Reservation }, isReservation,
		"the name of a reservation, such as projects/P/locations/L/reservations/R, or none"),
	row("scopes", list, func(c *Config) *[]string { return &c.Scopes }, isScopes,
		"short names such as bigquery or full scopes such as https://www.googleapis.com/auth/bigquery, comma "+
			"separated, each once"),
	row("storage_endpoint", text, func(c *Config) *string { return &c.StorageEndpoint }, isEndpoint,
		"an https URL, or an http URL of a loopback address (with auth=none of any), without user, query and fragment"),
	row("time_zone", text, func(c *Config) *string { return &c.TimeZone }, isTimeZone,
		"the IANA name of a time zone, such as Europe/Zurich or UTC (a + in it is written %2B)"),
	row("token_dir", text, func(c *Config) *string { return &c.TokenDir }, isText,
		"the path of a folder").hidden(),
	choice("token_store", func(c *Config) *string { return &c.TokenStore },
		TokenStoreFile, TokenStoreKeyring, TokenStoreMemory),
	row("use_query_cache", boolean, func(c *Config) **bool { return &c.UseQueryCache },
		func(*bool) bool { return true },
		"true or false"),
	row("user", text, func(c *Config) *string { return &c.User }, isEmail,
		"the e-mail address of the account that must sign in").hidden(),
	choice("write_disposition", func(c *Config) *string { return &c.WriteDisposition },
		WriteEmpty, WriteAppend, WriteTruncate, WriteTruncateData),
}

// param is a row of the table.
type param struct {
	key  string
	want string // the allowed values, as the object of "want"

	path     bool // written before the question mark
	must     bool // an error when not given
	zero     bool // the text of the zero value is allowed
	personal bool // masked by Config.String

	field  func(*Config) any          // address of the field
	parse  func(*Config, string) bool // sets the field; false if the text is malformed
	format func(*Config) string       // canonical text of a given field
	given  func(*Config) bool         // reports whether the field is set
	valid  func(*Config) bool         // reports whether the value of a set field is allowed
}

// row returns the param of a key whose values are of kind k.
func row[T any](key string, k kind[T], field func(*Config) *T, valid func(T) bool, want string) param {
	return param{
		key:   key,
		want:  want,
		field: func(c *Config) any { return field(c) },
		parse: func(c *Config, s string) bool {
			v, ok := k.parse(s)
			if ok {
				*field(c) = v
			}
			return ok
		},
		format: func(c *Config) string { return k.format(*field(c)) },
		given:  func(c *Config) bool { return k.given(*field(c)) },
		valid:  func(c *Config) bool { return valid(*field(c)) },
	}
}

// choice makes a row of a key that is one of some words, in any case.
func choice(key string, field func(*Config) *string, words ...string) param {
	return row(key, word, field, func(s string) bool { return slices.Contains(words, s) }, orBetween(words))
}

func (p param) hidden() param   { p.personal = true; return p }
func (p param) inPath() param   { p.path = true; return p }
func (p param) required() param { p.must = true; return p }
func (p param) orZero() param   { p.zero = true; return p }

// check returns the problem of the field, or "".
func (p *param) check(c *Config) string {
	switch {
	case !p.given(c) && p.must:
		return "is missing; want " + p.want
	case p.given(c) && looksSecret(p.format(c)):
		return secretProblem
	case p.given(c) && !p.valid(c):
		return p.refusal()
	}
	return ""
}

// set parses s into the field and returns the problem of s, or "". Only check
// decides whether the value is allowed.
func (p *param) set(c *Config, s string) string {
	switch {
	case s == "":
		return "is empty; leave it out or give " + p.want
	case !p.parse(c, s), !p.given(c) && !p.zero:
		return p.refusal()
	}
	return ""
}

// inQuery reports whether the key may stand after the question mark. The project
// may stand in both places, because a legacy id needs the second.
func (p *param) inQuery() bool { return !p.path || p.key == "project" }

func (p *param) refusal() string { return "has a value that is not allowed; want " + p.want }

// lookup returns the row of a key, or nil.
func lookup(key string) *param {
	for i := range params {
		if params[i].key == key {
			return &params[i]
		}
	}
	return nil
}
