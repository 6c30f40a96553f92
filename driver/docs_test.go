package driver_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are the texts of the project that show code and have links.
func documents(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("../docs/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatalf("docs: got %d guides, %v", len(paths), err)
	}
	texts := map[string]string{}
	for _, path := range append(paths, "../README.md", "../CONTRIBUTING.md", "../SECURITY.md", "../CHANGELOG.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

// TestDocumentsShowTestedCode: each part of a block of Go in the README and in the guides stands in
// an Example or in a program of examples. A line "// ..." stands for what is left out.
func TestDocumentsShowTestedCode(t *testing.T) {
	t.Parallel()
	var sources []string
	for _, pattern := range []string{
		"*_test.go", "../auth/*_test.go", "../dsn/*_test.go", "../examples/*/*.go", "../internal/sandbox/example_test.go",
		"*/*_test.go", "migrate/*/*_test.go",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, plainCode(string(text)))
		}
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```")
	for path, text := range documents(t) {
		for _, block := range blocks.FindAllStringSubmatch(text, -1) {
			code := plainCode(block[1])
			if _, body, ok := strings.Cut(code, "func main() {\n"); ok {
				code = strings.TrimSuffix(body, "}\n")
			}
			for part := range strings.SplitSeq(code, "// ...\n") {
				found := func(source string) bool { return strings.Contains(source, part) }
				if !slices.ContainsFunc(sources, found) {
					t.Errorf("%s: this code stands in no Example and no program:\n%s", path, part)
				}
			}
		}
	}
}

// plainCode leaves out blanks around lines, and empty lines.
func plainCode(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// TestDocumentsLinks: links to files of the project lead somewhere.
func TestDocumentsLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`") // f[T](x) in code is no link
	for path, text := range documents(t) {
		text = code.ReplaceAllString(text, "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s: link to %s: %v", path, m[1], err)
			}
		}
	}
}

// TestREADMEHasEveryKey: the table of the README has each key that package dsn documents.
func TestREADMEHasEveryKey(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../dsn/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	readme := documents(t)["../README.md"]
	keys := regexp.MustCompile(`(?m)^//\t([a-z_]+) `).FindAllStringSubmatch(string(manual), -1)
	if len(keys) < 30 {
		t.Fatalf("dsn/doc.go: got %d keys", len(keys))
	}
	for _, m := range keys {
		if m[1] != "key" && !strings.Contains(readme, "`"+m[1]+"`") {
			t.Errorf("README.md has no %s", m[1])
		}
	}
}

// TestExportedNamesHaveExamples: each exported function, type and sentinel is used in an Example. Methods
// belong to their type.
func TestExportedNamesHaveExamples(t *testing.T) {
	t.Parallel()
	without := []string{
		"Driver", "Version", // nothing is done with them
		"QuotaProjectEnv", "TrustedHostsEnv", "ClientSecretsEnv", // names of environment variables
	}
	for _, dir := range []string{
		".", "bulk", "../auth", "../dsn", "gormdialect", "bundialect", "migrate/golangmigrate", "migrate/goosestore",
	} {
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		files := token.NewFileSet()
		var parsed []*ast.File
		var examples strings.Builder
		for _, path := range paths {
			f, err := parser.ParseFile(files, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(path, "_test.go") {
				parsed = append(parsed, f)
			} else if text, err := os.ReadFile(path); err != nil {
				t.Fatal(err)
			} else if strings.Contains(string(text), "\nfunc Example") {
				examples.Write(text)
			}
		}
		p, err := doc.NewFromFiles(files, parsed, "example.com/"+filepath.Base(dir), doc.Mode(0))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		values := func(vs []*doc.Value) {
			for _, v := range vs {
				names = append(names, v.Names...)
			}
		}
		if p.Name != "dsn" { // the words of its fields are in its table
			values(p.Consts)
		}
		values(p.Vars)
		for _, f := range p.Funcs {
			names = append(names, f.Name)
		}
		for _, typ := range p.Types {
			names = append(names, typ.Name)
			values(typ.Consts)
			values(typ.Vars)
			for _, f := range typ.Funcs {
				names = append(names, f.Name)
			}
		}
		if len(names) == 0 {
			t.Errorf("%s: no exported names", dir)
		}
		for _, name := range names {
			used := regexp.MustCompile(`\b` + p.Name + `\.` + name + `\b|\bfunc Example` + name + `\b`)
			if ast.IsExported(name) && !slices.Contains(without, name) && !used.MatchString(examples.String()) {
				t.Errorf("%s.%s is in no Example", p.Name, name)
			}
		}
	}
}
