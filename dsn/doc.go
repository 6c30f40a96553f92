// Package dsn turns the text that names a BigQuery connection into a [Config]
// and back.
//
// # Grammar
//
//	bigqueryuser://PROJECT[/DATASET][?key=value&...]
//
// PROJECT is the project that is billed and runs the jobs. DATASET resolves
// table names that name no dataset; that of another project is written
// OTHER-PROJECT.DATASET. A legacy project id with a domain is
// written as a key, since its colon has no place before the first slash:
//
//	bigqueryuser:///DATASET?project=example.com:proj
//
// Values are percent-encoded UTF-8. As [net/url.QueryEscape] writes it, a plus
// sign stands for a space; a real plus is %2B. The characters & # ; % cannot stand for
// themselves and are written %26 %23 %3B %25; everything else may, so that
// client_secrets=/home/Zoë/my file.json and client_secrets=~/bq.json are
// fine as they are. Neither ~ nor environment variables are expanded here: the
// driver expands a leading "~/" when it opens the file.
//
// # Keys
//
// Every key may be given once. A key that is left out has the default of the
// [Config] field; an empty value is an error. The order has no meaning.
//
//	key             value                                                     default
//	project         project id; the only place for a legacy one               PROJECT
//	auth            user (who signs in), adc (gcloud's) or none (emulators)    user
//	client_secrets  path of the client_secrets.json of an installed app       the environment's
//	scopes          short names (bigquery) or full scopes, comma separated    bigquery
//	user            e-mail address of the account that must sign in           any
//	hd              Workspace domain that the account must belong to          any
//	profile         label that keeps several sign-ins apart                   none
//	login           auto, browser, manual or never                            auto
//	redirect_port   0 to 65535, the loopback port of the sign-in; 0 = any     0
//	login_timeout   how long a sign-in may take, as in 90s or 5m              auth's
//	token_store     file, keyring (the platform's) or memory                  file
//	token_dir       folder of the stored sign-ins                             auth's
//	quota_project   project whose quota the requests count against            none
//	location        where the jobs run, as in US or europe-west1              the service's
//	create_session  auto (for transactions) or always                         auto
//	maximum_bytes_billed  bytes that a statement may bill, at least 1         no limit
//	use_query_cache true or false                                             true
//	label_jobs      true labels jobs, so that one whose answer was lost is    false
//	                found and cancelled
//	labels          of the jobs, as in team:sales,app:report                  none
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
//	job_timeout     how long a job may run, as in 90s or 5m                   no limit
//	read_api        auto, rest or storage (the Storage Read API)              auto
//	max_results     rows in a page of results, at least 1                     10,000 in the first
//	endpoint        https base URL of the service, or http on loopback        Google's
//	storage_endpoint  https base URL of the Storage Read API, or on loopback  Google's
//	application     name of the program in the User-Agent header              none
//
// # Errors
//
// [Parse] and [Config.Validate] report an [*Error], which names the key and
// what is allowed. The text of an error never repeats a value of the input, so
// that it can be logged whatever somebody has put into the DSN by mistake.
//
// # Trust
//
// A DSN is trusted input. Whoever writes it chooses the project that pays, the
// file that holds the OAuth client, and the folder of the sign-ins. It can't
// choose where access tokens go: the driver sends them to Google, and to other
// hosts only if the program or its environment says so ([Config.Endpoint]).
//
// So never build a DSN by joining texts: with a project name such as
// my-project?endpoint=https://evil.example the rest of the text would count too.
// Put names that come from elsewhere into the fields of a [Config], which checks
// them, and give that to driver.NewConnector, or to sql.Open by [Config.Format].
//
// # Secrets
//
// A DSN ends up in shell histories, logs and configuration files, so it holds
// no secrets: a client secret, a token or a password is refused with a word on
// where it belongs. Name the file with client_secrets; the sign-in keeps the
// tokens in its own store.
package dsn
