package auth

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
	case "stranger":
		strangerMain(os.Args[1:])
		return
	default:
		childMain()
		return
	}
	flag.Parse()
	if *overHTTP2 {
		if err := fakecert.Trust(); err != nil {
			fmt.Fprintln(os.Stderr, "-http2:", err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m)
}
