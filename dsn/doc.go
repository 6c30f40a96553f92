// Package dsn parses and formats the data source names of BigQuery connections.
//
// # Grammar
//
//	bigqueryuser://PROJECT[/DATASET][?key=value&...]
//
// PROJECT is the project that runs the jobs and is billed. DATASET resolves table
// names that name no dataset; a dataset of another project is written
// OTHER-PROJECT.DATASET. A legacy project id with a domain contains a colon, which
// can't stand before the first slash, so it is written as a key:
//
//	bigqueryuser:///DATASET?project=example.com:proj
//
// Values are percent-encoded UTF-8, as net/url.QueryEscape writes them: a plus sign
// means a space, and a real plus is %2B. The characters & # ; % must be written
// %26 %23 %3B %25. All other characters may stand for themselves, as in
// client_secrets=/home/Zoë/my file.json. Package dsn expands neither ~ nor
// environment variables; the driver expands a leading "~/" when it opens the file.
//
// # Keys
//
// Each key may be given once, in any order. A key that is left out has the default
// of its Config field. An empty value is an error. Values that are words of a list,
// such as batch or true, may be written in any case.
//
//	key             value                                                     default
//	project         project id; the only place for a legacy one               PROJECT
//	auth            user (the user signs in), adc (application-default        user
//	                credentials) or none (emulators)
//	client_secrets  path of the client_secrets.json of an installed app       the environment's
//	scopes          short names (bigquery) or full scopes, comma separated    bigquery
//	user            e-mail address of the account that must sign in           any
//	hd              Workspace domain that the account must belong to          any
//	profile         label that keeps several sign-ins apart                   none
//	login           auto, browser, manual or never                            auto
//	redirect_port   0 to 65535, the loopback port of the sign-in; 0 = any     0
//	login_timeout   how long a sign-in may take, such as 90s or 5m            auth's
//	token_store     file, keyring (the platform's) or memory                  file
//	token_dir       directory of the stored sign-ins                          auth's
//	quota_project   project whose quota the requests count against            none
//	location        where the jobs run, such as US or europe-west1            the service's
//	create_session  auto (for transactions) or always                         auto
//	maximum_bytes_billed  bytes that a statement may bill: 10GB, 1.5TB,       no limit
//	                10GiB, or a plain number of bytes
//	use_query_cache true or false                                             true
//	label_jobs      true labels each job, so that a job whose answer was      false
//	                lost is found and cancelled
//	labels          of the jobs, such as team:sales,app:report                none
//	priority        interactive, or batch (when there are idle resources)     interactive
//	reservation     projects/P/locations/L/reservations/R, or none            as assigned
//	kms_key         projects/P/locations/L/keyRings/R/cryptoKeys/K            none
//	job_creation    required, or optional (short queries without a job)       required
//	job_id_prefix   what job ids begin with: letters, digits, _ and -         none
//	destination_table  table, dataset.table or project.dataset.table          none
//	write_disposition  empty, append, truncate or truncate_data               empty
//	create_disposition  if_needed or never                                    if_needed
//	dry_run         true (statements are checked, not run) or false           false
//	time_zone       IANA name of the statements' default time zone            UTC
//	job_timeout     how long a job may run, such as 90s or 5m                 no limit
//	read_api        auto, rest or storage (the Storage Read API)              auto
//	max_results     rows in a page of results, at least 1                     10,000 in the first
//	endpoint        https base URL of the service, or http on loopback        Google's
//	storage_endpoint  https base URL of the Storage Read API, or on loopback  Google's
//	application     name of the program in the User-Agent header              none
//
// The units of maximum_bytes_billed are B, kB, MB, GB, TB and PB, powers of 1000,
// and KiB, MiB, GiB, TiB and PiB, powers of 1024.
//
// # Errors
//
// Parse and Config.Validate return an *Error. It names the key and the allowed
// values. It never repeats a value of the input, so it can be logged even if a
// secret was pasted into the DSN by mistake.
//
// # Trust
//
// A DSN is trusted input. Its author chooses the project that pays, the file that
// holds the OAuth client, and the directory of the sign-ins. A DSN can't choose
// where access tokens go: the driver sends them to Google, and to other hosts only
// if the program or its environment allows them. See Config.Endpoint.
//
// Never build a DSN by joining strings: if a project name is
// my-project?endpoint=https://evil.example, the rest of it counts too. Put names
// that come from elsewhere into the fields of a Config, which checks them, and give
// it to driver.NewConnector, or to sql.Open by Config.Format.
//
// # Secrets
//
// DSNs end up in shell histories, logs and configuration files, so a DSN holds no
// secrets. A client secret, a token or a password is an error that says where it
// belongs. Name the client file with client_secrets; the tokens are kept in the
// store of the sign-in.
package dsn
