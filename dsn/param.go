package dsn

import "time"

// params is the table of everything a DSN can say, sorted by key. A row parses,
// formats and checks its key: to add one, add a field to Config, a row here and
// a line to the table in doc.go.
var params = []param{
	row("application", text, func(c *Config) *string { return &c.Application }, isHeaderText,
		"printable ASCII without a space at its ends"),
	row("auth", text, func(c *Config) *string { return &c.Auth }, oneOf("user", "adc", "none"),
		"user, adc or none"),
	row("client_secrets", text, func(c *Config) *string { return &c.ClientSecrets }, isSecretsPath,
		"the path of a client_secrets.json, not its contents").hidden(),
	row("create_disposition", text, func(c *Config) *string { return &c.CreateDisposition },
		oneOf("if_needed", "never"),
		"if_needed or never"),
	row("create_session", text, func(c *Config) *string { return &c.CreateSession }, oneOf("auto", "always"),
		"auto or always"),
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
	row("job_creation", text, func(c *Config) *string { return &c.JobCreation }, oneOf("optional", "required"),
		"optional or required"),
	row("job_id_prefix", text, func(c *Config) *string { return &c.JobIDPrefix }, isJobIDPrefix,
		"at most 990 letters a-z and A-Z, digits, _ and -"),
	row("job_timeout", duration, func(c *Config) *time.Duration { return &c.JobTimeout }, isMilliseconds,
		"a time of at least 1ms with its unit, such as 90s or 5m"),
	row("kms_key", text, func(c *Config) *string { return &c.KMSKey }, isKMSKey,
		"the name of a Cloud KMS key, such as projects/P/locations/L/keyRings/R/cryptoKeys/K"),
	row("label_jobs", flag, func(c *Config) *bool { return &c.LabelJobs }, func(bool) bool { return true },
		"true or false").orZero(),
	row("labels", pairs, func(c *Config) *map[string]string { return &c.Labels }, isLabels,
		"key:value pairs, comma separated, of at most 63 small letters, digits, _ and -, such as "+
			"team:sales,app:report"),
	row("location", text, func(c *Config) *string { return &c.Location }, isLocation,
		"a BigQuery location such as US, EU or europe-west1"),
	row("login", text, func(c *Config) *string { return &c.Login }, oneOf("auto", "browser", "manual", "never"),
		"auto, browser, manual or never"),
	row("login_timeout", duration, func(c *Config) *time.Duration { return &c.LoginTimeout }, isPositive,
		"a time above zero with its unit, such as 90s or 5m"),
	row("max_results", long, func(c *Config) *int64 { return &c.MaxResults }, isPositive,
		"a whole number of rows, at least 1"),
	row("maximum_bytes_billed", long, func(c *Config) *int64 { return &c.MaximumBytesBilled }, isPositive,
		"a whole number of bytes, at least 1"),
	row("priority", text, func(c *Config) *string { return &c.Priority }, oneOf("interactive", "batch"),
		"interactive or batch"),
	row("profile", text, func(c *Config) *string { return &c.Profile }, isLabel,
		"a label of at most 100 characters without control characters"),
	row("project", text, func(c *Config) *string { return &c.Project }, isProject,
		"a project id of small letters, digits and hyphens, as in bigqueryuser://my-project (with a domain, as in "+
			"bigqueryuser:///?project=example.com:my-project)").inPath().required(),
	row("quota_project", text, func(c *Config) *string { return &c.QuotaProject }, isProject,
		"a project id of small letters, digits and hyphens"),
	row("read_api", text, func(c *Config) *string { return &c.ReadAPI }, oneOf("auto", "rest", "storage"),
		"auto, rest or storage"),
	row("redirect_port", integer, func(c *Config) *int { return &c.RedirectPort }, isPort,
		"a port number from 0 to 65535").orZero(),
	row("reservation", text, func(c *Config) *string { return &c.Reservation }, isReservation,
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
	row("token_store", text, func(c *Config) *string { return &c.TokenStore }, oneOf("file", "keyring", "memory"),
		"file, keyring or memory"),
	row("use_query_cache", boolean, func(c *Config) **bool { return &c.UseQueryCache },
		func(*bool) bool { return true },
		"true or false"),
	row("user", text, func(c *Config) *string { return &c.User }, isEmail,
		"the e-mail address of the account that must sign in").hidden(),
	row("write_disposition", text, func(c *Config) *string { return &c.WriteDisposition },
		oneOf("empty", "append", "truncate", "truncate_data"),
		"empty, append, truncate or truncate_data"),
}

// param is a row of the table.
type param struct {
	key  string
	want string // what is allowed, as the object of "want"

	path     bool // written before the question mark
	must     bool // an error when not given
	zero     bool // the text of the zero value is allowed
	personal bool // masked by Config.String

	field  func(*Config) any          // address of the field
	parse  func(*Config, string) bool // sets the field; false if the text is malformed
	format func(*Config) string       // canonical text of a given field
	given  func(*Config) bool         // whether the field says anything
	valid  func(*Config) bool         // whether a given field is allowed
}

// row makes a param of a kind of value, a field, its rule and its description.
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

func (p param) hidden() param   { p.personal = true; return p }
func (p param) inPath() param   { p.path = true; return p }
func (p param) required() param { p.must = true; return p }
func (p param) orZero() param   { p.zero = true; return p }

// check gives the problem of the field, or "".
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

// set reads the field from text and gives the problem of the text, or "".
// Whether the value is allowed is left to check.
func (p *param) set(c *Config, s string) string {
	switch {
	case s == "":
		return "is empty; leave it out or give " + p.want
	case !p.parse(c, s), !p.given(c) && !p.zero:
		return p.refusal()
	}
	return ""
}

// inQuery reports whether the key may stand after the question mark: project may
// stand in both places, since a legacy id needs the second.
func (p *param) inQuery() bool { return !p.path || p.key == "project" }

func (p *param) refusal() string { return "has a value that is not allowed; want " + p.want }

// lookup finds the row of a key, or nil.
func lookup(key string) *param {
	for i := range params {
		if params[i].key == key {
			return &params[i]
		}
	}
	return nil
}
