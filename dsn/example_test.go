package dsn_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

func ExampleParse() {
	c, err := dsn.Parse("bigqueryuser://my-project/sales?" +
		"client_secrets=~/client_secrets.json&location=EU&login_timeout=2m")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Project, c.Dataset, c.ClientSecrets, c.Location, c.LoginTimeout)
	// Output: my-project sales ~/client_secrets.json EU 2m0s
}

func ExampleParse_legacyProject() {
	c, err := dsn.Parse("bigqueryuser:///sales?project=example.com:proj")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Project, c.Dataset)
	// Output: example.com:proj sales
}

func ExampleConfig_Format() {
	c := dsn.Config{
		Project:       "my-project",
		ClientSecrets: "my secrets.json",
		Scopes:        []string{"bigquery"},
		LoginTimeout:  2 * time.Minute,
	}
	fmt.Println(c.Format())
	// Output: bigqueryuser://my-project?client_secrets=my%20secrets.json&login_timeout=2m0s&scopes=bigquery
}

func ExampleConfig_String() {
	c := dsn.Config{Project: "my-project", Location: "EU", ClientSecrets: "/home/ada/client_secrets.json"}
	fmt.Println(c)
	// Output: bigqueryuser://my-project?client_secrets=***&location=EU
}

func ExampleError() {
	for _, text := range []string{
		"bigqueryuser://my-project?login=popup",
		"bigqueryuser://my-project?location=",
	} {
		_, err := dsn.Parse(text)
		_, ok := errors.AsType[*dsn.Error](err)
		fmt.Println(ok, err)
	}
	// Output:
	// true dsn: login: has a value that is not allowed; want auto, browser, manual or never
	// true dsn: location: is empty; leave it out or give a BigQuery location such as US, EU or europe-west1
}

// A Config may be built in Go. Validate applies the rules of Parse.
func ExampleConfig() {
	c := dsn.Config{Project: "my-project", Dataset: "sales", MaximumBytesBilled: 10e9, Priority: "batch"}
	fmt.Println(c.Format())
	// Output: bigqueryuser://my-project/sales?maximum_bytes_billed=10000000000&priority=batch
}

func ExampleConfig_Validate() {
	c := dsn.Config{Project: "my-project?endpoint=https://gateway.example"} // not a project id
	e, ok := errors.AsType[*dsn.Error](c.Validate())
	fmt.Println(ok, e.Key)
	// Output: true project
}

// Sizes take a unit, and words of a list any case.
func ExampleParse_units() {
	c, err := dsn.Parse("bigqueryuser://my-project?maximum_bytes_billed=1.5TB&priority=BATCH")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.MaximumBytesBilled, c.Priority)
	// Output: 1500000000000 batch
}

// A key that does not exist gets the nearest ones, and the address of the list.
func ExampleError_key() {
	_, err := dsn.Parse("bigqueryuser://my-project?timeout=5m")
	fmt.Println(strings.ReplaceAll(err.Error(), " (", "\n("))
	// Output:
	// dsn: timeout: is not a key; did you mean job_timeout or login_timeout?
	// (all keys: https://pkg.go.dev/github.com/bigqueryuser/bigqueryuser/dsn#hdr-Keys)
}
