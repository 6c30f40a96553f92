package auth

import (
	"os"
	"testing"

	"go.uber.org/goleak"
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
	goleak.VerifyTestMain(m)
}
