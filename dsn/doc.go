// Package dsn parses and formats the data source names of BigQuery connections.
//
// # Grammar
//
//	bigqueryuser://PROJECT[/DATASET][?key=value&...]
//
// PROJECT is the project that runs the jobs and is billed. DATASET resolves
// table names that name no dataset; a dataset of another project is written
// OTHER-PROJECT.DATASET. A legacy project id with a domain contains a colon,
// which is not allowed before the first slash. It is written as a key:
//
//	bigqueryuser:///DATASET?project=example.com:proj
//
// Values are percent-encoded UTF-8, as net/url.QueryEscape writes them: a plus
// sign means a space, and a real plus is %2B. The characters & # ; % must be
// written %26 %23 %3B %25. All other characters may be written as they are, as
// in client_secrets=/home/Zoë/my file.json. Package dsn expands neither ~ nor
// environment variables; the driver expands a leading "~/" when it opens the
// file.
//
// # Keys
//
// Each key may be given once, in any order. A key that is left out has the
// default of its Config field. An empty value is an error. Words such as batch
// or true may be written in any case.
//
//	key                   default      value
//	project               PROJECT      project id; the only place for one with a domain
//	auth                  user         user (the user signs in), adc (application-default credentials)
//	                                   or none (emulators)
//	client_secrets        see Config   path of the client_secrets.json of an installed app
//	scopes                bigquery     short names (bigquery) or full scopes, comma separated
//	user                  any          e-mail address of the account that must sign in
//	hd                    any          Workspace domain that the account must belong to
//	profile               none         label that keeps several sign-ins apart
//	login                 auto         auto, browser, manual or never
//	redirect_port         0            0 to 65535, the loopback port of the sign-in; 0 means any
//	login_timeout         5m           how long a sign-in may take, such as 90s or 5m
//	token_store           file         file, keyring (the platform's) or memory
//	token_dir             see Config   directory of the stored sign-ins
//	quota_project         see Config   project whose quota the requests count against
//	location              BigQuery's   where the jobs run, such as US or europe-west1
//	create_session        auto         auto (for transactions) or always
//	maximum_bytes_billed  no limit     bytes that a statement may bill: 10GB, 1.5TB, 10GiB, or a plain
//	                                   number of bytes
//	use_query_cache       true         true or false
//	label_jobs            false        true labels each job, so that a job whose answer was lost is found
//	                                   and cancelled
//	labels                none         labels of the jobs, such as team:sales,app:report
//	priority              interactive  interactive, or batch (when there are idle resources)
//	reservation           as assigned  projects/P/locations/L/reservations/R, or none
//	kms_key               none         projects/P/locations/L/keyRings/R/cryptoKeys/K
//	job_creation          required     required, or optional (short queries without a job)
//	job_id_prefix         none         first part of the ids of jobs: letters, digits, _ and -
//	destination_table     none         table, dataset.table or project.dataset.table
//	write_disposition     empty        empty, append, truncate or truncate_data
//	create_disposition    if_needed    if_needed or never
//	dry_run               false        true (statements are checked, not run) or false
//	time_zone             UTC          IANA name of the default time zone of statements
//	job_timeout           no limit     how long a job may run, such as 90s or 5m
//	read_api              auto         auto, rest or storage (the Storage Read API)
//	max_results           see Config   rows in a page of results, at least 1
//	endpoint              Google's     https base URL of the service, or http on loopback
//	storage_endpoint      Google's     https base URL of the Storage Read API, or http on loopback
//	application           none         name of the program in the User-Agent header
//
// The units of maximum_bytes_billed are B, kB, MB, GB, TB and PB, powers of
// 1000, and KiB, MiB, GiB, TiB and PiB, powers of 1024.
//
// # Errors
//
// Parse and Config.Validate return an *Error. It names the key and the allowed
// values. It never repeats a value of the input, so it can be logged even if a
// secret was pasted into the DSN by mistake.
//
// # Trust
//
// A DSN is trusted input. Its author chooses the project that pays, the file
// that holds the OAuth client, and the directory of the sign-ins. A DSN can't
// choose where access tokens go: the driver sends them to Google, and to other
// hosts only if the program or its environment allows them. See
// Config.Endpoint.
//
// Never build a DSN by joining strings: a project name such as
// my-project?endpoint=https://evil.example would also set the endpoint. Put
// names from outside the program into the fields of a [Config], which checks
// them. Pass it to driver.NewConnector, or the result of [Config.Format] to
// sql.Open.
//
// # Secrets
//
// DSNs end up in shell histories, logs and configuration files, so a DSN holds
// no secrets. A client secret, a token or a password is an error that says
// where it belongs. Name the client file with client_secrets; the tokens are
// kept in the store of the sign-in.
package dsn
