package auth

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every number has its row, and every row names tests that exist.
func TestStatements(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for i := range 63 {
		want[fmt.Sprint("S", i+1)] = true
	}
	for i := range 50 {
		want[fmt.Sprint("T", i+1)] = true
	}
	for _, s := range statements {
		if !want[s.id] {
			t.Errorf("%s is no statement, or is there twice", s.id)
		}
		delete(want, s.id)
		if len(s.tests) == 0 || !strings.HasSuffix(s.says, ".") {
			t.Errorf("%s has no test or no sentence", s.id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		t.Errorf("%s is not in the table", id)
	}
	have := map[string]map[string]bool{}
	for _, s := range statements {
		for _, name := range s.tests {
			dir, test := path.Split(name)
			if dir == "" {
				dir = "auth"
			}
			if have[dir] == nil {
				have[dir] = testNames(t, filepath.Join("..", dir))
			}
			if !have[dir][test] {
				t.Errorf("%s: there is no test %s in %s", s.id, test, dir)
			}
		}
	}
}

func testNames(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	must(t, err)
	names := map[string]bool{}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		must(t, err)
		for _, decl := range tree.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// What can't be seen from outside is read off the sources.
func TestSources(t *testing.T) {
	t.Parallel()
	never := map[string]string{ // a pattern, and the statement it would break
		`DefaultServeMux|http\.Handle\(|http\.HandleFunc\(|http\.ListenAndServe`: "S15",
		`oauth:2\.0:oob|device/code|device_code|DeviceAuth`:                      "S19",
		`InsecureSkipVerify(:| =) *true`:                                         "S21",
		`"0\.0\.0\.0|"\[::\]|"localhost:|Listen\("tcp",`:                         "S1",
		`"math/rand`:                          "S7",
		`"(sh|bash|cmd|cmd\.exe|powershell)"`: "S18",
		`os\.Stdin|os\.Stdout|fmt\.Print`:     "S42",
		`os\.TempDir\(`:                       "S31",
		`google\.FindDefault|google\.DefaultTokenSource|ComputeTokenSource`: "T42",
		`\.Revoke\(`:             "S43",
		`include_granted_scopes`: "S20",
	}
	files, err := filepath.Glob("*.go")
	must(t, err)
	constantTime := false
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		must(t, err)
		var code strings.Builder
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "//") {
				code.WriteString(line)
			}
		}
		for pattern, id := range never {
			if found := regexp.MustCompile(pattern).FindString(code.String()); found != "" {
				t.Errorf("%s: %s has %q", id, file, found)
			}
		}
		constantTime = constantTime || strings.Contains(code.String(),
			"subtle.ConstantTimeCompare([]byte(q.Get(\"state\")), []byte(at.state))")
	}
	for file, pattern := range map[string]string{ // S63: what only Windows would show
		"listen_windows.go": `SetsockoptInt\(.*exclusiveAddrUse, 1\)`,
		"store_dir.go":      `runtime\.GOOS == "windows" \{\s+if local := getenv\("LocalAppData"\)`,
		"config.go":         `cfg\.listen = listenLoopback`,
	} {
		text, err := os.ReadFile(file)
		must(t, err)
		if !regexp.MustCompile(pattern).Match(text) {
			t.Errorf("S63: %s has no %s", file, pattern)
		}
	}
	if !constantTime {
		t.Error("S7: the state is not compared in constant time")
	}
}

// S11, S21: the limits that take too long to reach in a test.
func TestLimits(t *testing.T) {
	t.Parallel()
	e := newEndpoint(&Client{}, nil)
	if e.http.Timeout != 30*time.Second || e.http.CheckRedirect(nil, nil) == nil || e.http.Jar != nil {
		t.Error("the HTTP client has another time limit, follows redirects or keeps cookies")
	}
	if maxBody != 1<<20 {
		t.Errorf("answers are read up to %d bytes; want 1 MiB", maxBody)
	}
	listeners, err := loopbackListeners(net.Listen, 0)
	must(t, err)
	s := serveLoopback(listeners, nil)
	defer s.close()
	if s.srv.ReadHeaderTimeout != 5*time.Second || s.srv.IdleTimeout == 0 || s.srv.MaxHeaderBytes != 16<<10 {
		t.Error("the callback server has other limits")
	}
}
