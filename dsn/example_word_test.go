package dsn_test

import (
	"fmt"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// The words of a DSN have constants, for a Config that is made in Go.
func ExampleConfig_words() {
	cfg := dsn.Config{
		Project:           "my-project",
		Dataset:           "reports",
		Priority:          dsn.PriorityBatch,
		JobCreation:       dsn.JobCreationRequired,
		DestinationTable:  "daily",
		WriteDisposition:  dsn.WriteTruncate,
		CreateDisposition: dsn.CreateNever,
		Login:             dsn.LoginNever,
		TokenStore:        dsn.TokenStoreKeyring,
		ReadAPI:           dsn.ReadAPIREST,
		CreateSession:     dsn.CreateSessionAlways,
	}
	fmt.Println(cfg.Validate())
	for _, words := range [][]string{
		{dsn.AuthUser, dsn.AuthADC, dsn.AuthNone},
		{dsn.LoginAuto, dsn.LoginBrowser, dsn.LoginManual, dsn.LoginNever},
		{dsn.TokenStoreFile, dsn.TokenStoreKeyring, dsn.TokenStoreMemory},
		{dsn.CreateSessionAuto, dsn.CreateSessionAlways},
		{dsn.PriorityInteractive, dsn.PriorityBatch},
		{dsn.JobCreationRequired, dsn.JobCreationOptional},
		{dsn.WriteEmpty, dsn.WriteAppend, dsn.WriteTruncate, dsn.WriteTruncateData},
		{dsn.CreateIfNeeded, dsn.CreateNever},
		{dsn.ReadAPIAuto, dsn.ReadAPIREST, dsn.ReadAPIStorage},
	} {
		fmt.Println(words)
	}
	// Output:
	// <nil>
	// [user adc none]
	// [auto browser manual never]
	// [file keyring memory]
	// [auto always]
	// [interactive batch]
	// [required optional]
	// [empty append truncate truncate_data]
	// [if_needed never]
	// [auto rest storage]
}
