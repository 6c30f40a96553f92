package dsn

import "time"

// canary stands in the values of bad DSNs; no error may repeat it.
const canary = "zq7canary"

// q opens the DSNs that are about a key.
const q = "bigqueryuser://p?"

type goodCase struct {
	name, text, canonical string
	want                  Config
}

type badCase struct {
	name, text, key, problem string
}

// good lists DSNs with what they mean. canonical is what Format makes of it,
// "" if that is the text itself. It feeds the parse, round trip and fuzz tests.
var good = []goodCase{
	{name: "project", text: "bigqueryuser://my-project", want: Config{Project: "my-project"}},
	{name: "project number", text: "bigqueryuser://123456789012", want: Config{Project: "123456789012"}},
	{name: "one letter", text: "bigqueryuser://p", want: Config{Project: "p"}},
	{
		name: "dataset",
		text: "bigqueryuser://my-project/my_dataset",
		want: Config{Project: "my-project", Dataset: "my_dataset"},
	},
	{
		name:      "no dataset",
		text:      "bigqueryuser://my-project/",
		canonical: "bigqueryuser://my-project",
		want:      Config{Project: "my-project"},
	},
	{
		name:      "no keys",
		text:      "bigqueryuser://my-project?",
		canonical: "bigqueryuser://my-project",
		want:      Config{Project: "my-project"},
	},
	{
		name: "legacy",
		text: "bigqueryuser:///sales?project=example.com:proj",
		want: Config{Project: "example.com:proj", Dataset: "sales"},
	},
	{
		name:      "legacy without dataset",
		text:      "bigqueryuser://?project=example.com%3Aproj",
		canonical: "bigqueryuser:///?project=example.com:proj",
		want:      Config{Project: "example.com:proj"},
	},
	{
		name:      "project as key",
		text:      "bigqueryuser://?project=my-project",
		canonical: "bigqueryuser://my-project",
		want:      Config{Project: "my-project"},
	},
	{
		name:      "keys sorted",
		text:      q + "location=EU&application=x",
		canonical: q + "application=x&location=EU",
		want:      Config{Project: "p", Location: "EU", Application: "x"},
	},
	{
		name: "every key",
		text: "bigqueryuser://p/d?" +
			"client_secrets=c.json&scopes=bigquery,drive.readonly&login=manual&redirect_port=8085&" +
			"login_timeout=5m&token_dir=/t&quota_project=q&location=US&max_results=1000&" +
			"endpoint=http://127.0.0.1:9050&application=report/1.0&user=ada@example.com&hd=example.com&" +
			"profile=work&auth=user&token_store=keyring&maximum_bytes_billed=1000000&" +
			"use_query_cache=false&labels=team:sales,app:report&job_timeout=90s&create_session=always&" +
			"priority=batch&reservation=projects/p/locations/US/reservations/r&" +
			"kms_key=projects/p/locations/us/keyRings/r/cryptoKeys/k&job_creation=optional&label_jobs=true&" +
			"job_id_prefix=report_&time_zone=Europe/Zurich&read_api=storage&" +
			"storage_endpoint=http://127.0.0.1:9060&destination_table=d2.t&write_disposition=append&" +
			"create_disposition=never&dry_run=true",
		canonical: "bigqueryuser://p/d?" +
			"application=report/1.0&auth=user&client_secrets=c.json&create_disposition=never&" +
			"create_session=always&destination_table=d2.t&dry_run=true&endpoint=http://127.0.0.1:9050&" +
			"hd=example.com&job_creation=optional&job_id_prefix=report_&job_timeout=1m30s&" +
			"kms_key=projects/p/locations/us/keyRings/r/cryptoKeys/k&label_jobs=true&labels=app:report,team:sales&" +
			"location=US&login=manual&login_timeout=5m0s&max_results=1000&maximum_bytes_billed=1000000&" +
			"priority=batch&profile=work&quota_project=q&read_api=storage&redirect_port=8085&" +
			"reservation=projects/p/locations/US/reservations/r&scopes=bigquery,drive.readonly&" +
			"storage_endpoint=http://127.0.0.1:9060&time_zone=Europe/Zurich&token_dir=/t&" +
			"token_store=keyring&use_query_cache=false&user=ada@example.com&write_disposition=append",
		want: Config{
			Project: "p", Dataset: "d", ClientSecrets: "c.json",
			Scopes: []string{"bigquery", "drive.readonly"}, Login: "manual", CreateSession: "always",
			MaximumBytesBilled: 1000000, UseQueryCache: new(bool),
			Labels: map[string]string{"team": "sales", "app": "report"}, JobTimeout: 90 * time.Second,
			Auth: "user", TokenStore: "keyring", User: "ada@example.com", HostedDomain: "example.com",
			Profile: "work", RedirectPort: 8085, LoginTimeout: 5 * time.Minute, TokenDir: "/t",
			QuotaProject: "q", Priority: "batch", Reservation: "projects/p/locations/US/reservations/r",
			KMSKey: "projects/p/locations/us/keyRings/r/cryptoKeys/k", DestinationTable: "d2.t",
			WriteDisposition: "append", CreateDisposition: "never", DryRun: true, LabelJobs: true,
			JobCreation: "optional",
			JobIDPrefix: "report_", TimeZone: "Europe/Zurich", ReadAPI: "storage",
			StorageEndpoint: "http://127.0.0.1:9060", Location: "US", MaxResults: 1000,
			Endpoint: "http://127.0.0.1:9050", Application: "report/1.0",
		},
	},
	{
		name: "dataset of another project",
		text: "bigqueryuser://p/bigquery-public-data.samples",
		want: Config{Project: "p", Dataset: "bigquery-public-data.samples"},
	},
	{
		name: "dataset of a legacy project",
		text: "bigqueryuser://p/example.com:proj.d",
		want: Config{Project: "p", Dataset: "example.com:proj.d"},
	},
	{name: "on demand", text: q + "reservation=none", want: Config{Project: "p", Reservation: "none"}},
	{
		name: "reservation of a legacy project",
		text: q + "reservation=projects/example.com:proj/locations/EU/reservations/r",
		want: Config{Project: "p", Reservation: "projects/example.com:proj/locations/EU/reservations/r"},
	},
	{
		name: "time zone with a plus sign",
		text: q + "time_zone=Etc/GMT%2B5",
		want: Config{Project: "p", TimeZone: "Etc/GMT+5"},
	},
	{
		name: "time zone in three parts",
		text: q + "time_zone=America/Argentina/Buenos_Aires",
		want: Config{Project: "p", TimeZone: "America/Argentina/Buenos_Aires"},
	},
	{
		name: "default read API at another endpoint",
		text: q + "endpoint=http://127.0.0.1:9050&read_api=auto",
		want: Config{Project: "p", Endpoint: "http://127.0.0.1:9050", ReadAPI: "auto"},
	},
	{
		name: "destination of the default dataset",
		text: "bigqueryuser://p/d?destination_table=t",
		want: Config{Project: "p", Dataset: "d", DestinationTable: "t"},
	},
	{
		name:      "destination in another project",
		text:      q + "destination_table=example.com:proj.d.t$20240101&write_disposition=truncate_data",
		canonical: q + "destination_table=example.com:proj.d.t%2420240101&write_disposition=truncate_data",
		want: Config{
			Project:          "p",
			DestinationTable: "example.com:proj.d.t$20240101",
			WriteDisposition: "truncate_data",
		},
	},
	{name: "no dry run", text: q + "dry_run=false", canonical: "bigqueryuser://p", want: Config{Project: "p"}},
	{name: "default written out", text: q + "login=auto", want: Config{Project: "p", Login: "auto"}},
	{name: "any port", text: q + "redirect_port=0", canonical: "bigqueryuser://p", want: Config{Project: "p"}},
	{
		name:      "raw space and letters",
		text:      q + "client_secrets=~/Zoë's files/bq.json",
		canonical: q + "client_secrets=~/Zo%C3%AB%27s%20files/bq.json",
		want:      Config{Project: "p", ClientSecrets: "~/Zoë's files/bq.json"},
	},
	{
		name:      "form encoding",
		text:      q + "client_secrets=my+file%2B.json",
		canonical: q + "client_secrets=my%20file%2B.json",
		want:      Config{Project: "p", ClientSecrets: "my file+.json"},
	},
	{
		name: "every special character",
		text: q + "token_dir=/a%26b%3Dc%23d%3Fe%25f%3Bg%20h",
		want: Config{Project: "p", TokenDir: "/a&b=c#d?e%f;g h"},
	},
	{
		name:      "raw = and ?",
		text:      q + "token_dir=/a=b?c",
		canonical: q + "token_dir=/a%3Db%3Fc",
		want:      Config{Project: "p", TokenDir: "/a=b?c"},
	},
	{
		name:      "Windows path",
		text:      `bigqueryuser://p?client_secrets=C:\Users\ada\bq.json`,
		canonical: q + "client_secrets=C:%5CUsers%5Cada%5Cbq.json",
		want:      Config{Project: "p", ClientSecrets: `C:\Users\ada\bq.json`},
	},
	{
		name:      "small hexadecimal digits",
		text:      q + "token_dir=%c3%ab",
		canonical: q + "token_dir=%C3%AB",
		want:      Config{Project: "p", TokenDir: "ë"},
	},
	{
		name: "full scopes",
		text: q + "scopes=https://www.googleapis.com/auth/bigquery,openid",
		want: Config{Project: "p", Scopes: []string{"https://www.googleapis.com/auth/bigquery", "openid"}},
	},
	{
		name: "https endpoint",
		text: q + "endpoint=https://bigquery.example.com/base/",
		want: Config{Project: "p", Endpoint: "https://bigquery.example.com/base/"},
	},
	{
		name:      "IPv6 loopback",
		text:      q + "endpoint=http://[::1]:9050",
		canonical: q + "endpoint=http://%5B::1%5D:9050",
		want:      Config{Project: "p", Endpoint: "http://[::1]:9050"},
	},
	{
		name: "localhost",
		text: q + "endpoint=http://localhost:9050/",
		want: Config{Project: "p", Endpoint: "http://localhost:9050/"},
	},
	{
		name: "no sign-in",
		text: q + "auth=none&endpoint=http://127.0.0.1:9050",
		want: Config{Project: "p", Auth: "none", Endpoint: "http://127.0.0.1:9050"},
	},
	{
		name:      "profile with spaces",
		text:      q + "profile=my+second",
		canonical: q + "profile=my%20second",
		want:      Config{Project: "p", Profile: "my second"},
	},
	{
		name:      "words in any case",
		text:      q + "priority=BATCH&login=Manual&auth=USER&read_api=Rest&token_store=KeyRing",
		canonical: q + "auth=user&login=manual&priority=batch&read_api=rest&token_store=keyring",
		want: Config{Project: "p", Priority: "batch", Login: "manual", Auth: "user", ReadAPI: "rest",
			TokenStore: "keyring"},
	},
	{
		name:      "dispositions in capitals",
		text:      q + "destination_table=d.t&write_disposition=TRUNCATE_DATA&create_disposition=NEVER",
		canonical: q + "create_disposition=never&destination_table=d.t&write_disposition=truncate_data",
		want: Config{Project: "p", DestinationTable: "d.t", WriteDisposition: "truncate_data",
			CreateDisposition: "never"},
	},
	{
		name:      "true in any case",
		text:      q + "dry_run=TRUE&use_query_cache=False",
		canonical: q + "dry_run=true&use_query_cache=false",
		want:      Config{Project: "p", DryRun: true, UseQueryCache: new(bool)},
	},
	{
		name:      "none in capitals",
		text:      q + "reservation=NONE",
		canonical: q + "reservation=none",
		want:      Config{Project: "p", Reservation: "none"},
	},
	{
		name: "omni location",
		text: q + "location=aws-us-east-1",
		want: Config{Project: "p", Location: "aws-us-east-1"},
	},
}
