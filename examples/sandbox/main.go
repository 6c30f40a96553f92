// Sandbox serves a local replacement for Google's sign-in and for BigQuery until Ctrl-C:
//
//	go run ./examples/sandbox -open -listen 127.0.0.1:9050 -grpc 127.0.0.1:9060 -load shop.orders=orders.csv
//
// It prints a data source name to copy. With -open there is no sign-in, and any program that
// accepts an address of BigQuery can use it, such as the official clients and curl. Its tables are
// in memory, or with -data in a folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// files are the tables of -load.
type files map[string]string

func (f files) String() string { return "" }

func (f files) Set(text string) error {
	table, path, ok := strings.Cut(text, "=")
	if !ok || table == "" || path == "" {
		return errors.New("want dataset.table=file")
	}
	f[table] = path
	return nil
}

func main() {
	cfg := sandbox.Config{Files: files{}}
	flag.StringVar(&cfg.Addr, "listen", "",
		"the loopback `address` to serve, such as 127.0.0.1:9050; default a free port")
	flag.StringVar(&cfg.StorageAddr, "grpc", "",
		"the loopback `address` of the Storage APIs, such as 127.0.0.1:9060; default a free port")
	flag.BoolVar(&cfg.Open, "open", false, "accept requests without a sign-in")
	flag.BoolVar(&cfg.NoData, "empty", false, "leave out the table of names")
	flag.StringVar(&cfg.StateDir, "state", "",
		"the `folder` that keeps the address and the sign-ins; default in the user's settings")
	flag.StringVar(&cfg.DataDir, "data", "", "the `folder` that keeps the tables; default in memory")
	flag.Var(files(cfg.Files), "load",
		"`dataset.table=file`: a table to read from a .csv, .parquet, .ndjson or .jsonl; may be repeated")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "sandbox serves a local BigQuery, and prints its data source name.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "sandbox: got the argument %q, but takes only flags; -help lists them\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, cfg); err != nil {
		fmt.Fprintf(os.Stderr, "sandbox: %v\n", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, out io.Writer, cfg sandbox.Config) error {
	if cfg.StateDir == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return err
		}
		cfg.StateDir = filepath.Join(dir, "bigqueryuser-sandbox-server")
	}
	server, err := sandbox.Start(ctx, cfg)
	if err != nil {
		return err
	}
	defer server.Close()
	name, err := source(server, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "BigQuery at %s, its Storage APIs at %s, until Ctrl-C\n", server.Endpoint(),
		server.StorageEndpoint())
	for table := range cfg.Files {
		fmt.Fprintf(out, "loaded %s\n", table)
	}
	if cfg.Open {
		fmt.Fprintf(out, "%s/ shows what it holds and what was asked of it\n", server.Endpoint())
	}
	fmt.Fprintf(out, "data source name: %s\n", name)
	<-ctx.Done()
	return nil
}

// source returns the data source name for programs that use the server.
func source(server *sandbox.Server, cfg sandbox.Config) (string, error) {
	c := dsn.Config{Project: sandbox.DefaultProject, Endpoint: server.Endpoint(),
		StorageEndpoint: server.StorageEndpoint()}
	if cfg.Open {
		c.Auth = "none"
		return c.Format(), nil
	}
	c.TokenDir = filepath.Join(cfg.StateDir, "sign-ins")
	c.ClientSecrets = filepath.Join(cfg.StateDir, "client_secrets.json")
	return c.Format(), os.WriteFile(c.ClientSecrets, server.ClientSecrets(), 0o600)
}
