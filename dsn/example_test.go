package dsn_test

import (
	"errors"
	"fmt"
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
		"bigqueryuser://my-project?loaction=EU",
		"bigqueryuser://my-project?login=popup",
		"bigqueryuser://my-project?location=",
	} {
		_, err := dsn.Parse(text)
		var e *dsn.Error
		fmt.Println(errors.As(err, &e), err)
	}
	// Output:
	// true dsn: loaction: is not a key; did you mean location?
	// true dsn: login: has a value that is not allowed; want auto, browser, manual or never
	// true dsn: location: is empty; leave it out or give a BigQuery location such as US, EU or europe-west1
}
