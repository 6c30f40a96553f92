package fakebq_test

import (
	"context"
	"fmt"

	client "cloud.google.com/go/bigquery"
	"google.golang.org/api/option"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func Example() {
	bq := fakebq.New(fakebq.Options{})
	url, err := bq.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bq.Close()
	bq.On("SELECT name FROM people",
		fakebq.Answer{Fields: []fakebq.Field{{Name: "name", Type: "STRING"}}, Rows: [][]any{{"Ada"}, {"Grace"}},
			Bytes: 42})
	bq.Inject(fakebq.Query, fakebq.Fail(fakebq.Error{Reason: "accessDenied"}))

	ctx := context.Background()
	c, err := client.NewClient(ctx, "my-project", option.WithEndpoint(url), option.WithoutAuthentication())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()
	for range 2 {
		rows, err := c.Query("SELECT name FROM people").Read(ctx)
		if err != nil {
			fmt.Println(err)
			continue
		}
		var row []client.Value
		fmt.Println(rows.Next(&row), row)
	}
	fmt.Println(bq.Count(fakebq.Query), "requests,", bq.Executions("SELECT name FROM people"), "execution")
	// Output:
	// googleapi: Error 403: accessDenied, accessDenied
	// <nil> [Ada]
	// 2 requests, 1 execution
}
