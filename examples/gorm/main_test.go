package main

import (
	"os"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/examples/internal/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Main(m, main)) }

func TestGorm(t *testing.T) {
	localtest.NewComputer(t)
	out, err := localtest.Run(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := `Ada of London, [maths]: 1 loans
Grace of New York, [navy maths]: 2 loans
fees: [{Ada 1.25} {Grace 2.5}]
cities: [Bath New York] loans left: 2
`
	if !strings.HasSuffix(out, want) {
		t.Errorf("got:\n%s\nwant at its end:\n%s", out, want)
	}
}
