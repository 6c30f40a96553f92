package driver_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layers are the layers of this package, lowest first, with the files of each and the layers that it may use beside
// itself. CONTRIBUTING.md says what they are for.
var layers = []struct {
	name  string
	files []string // names without .go, or prefixes that end with _
	uses  []string
}{
	{"SQL text", []string{"sql_"}, nil},
	{
		"values",
		[]string{"cell_", "column", "struct", "struct_", "range", "as", "rows_json", "rows_arrow", "rows_arrow_memory",
			"rows_batch", "rows_target", "query_into", "query_into_nested",
			"query_arrow_cell", "query_arrow_schema", "query_arrow_target"},
		nil,
	},
	{"arguments", []string{"param", "param_"}, []string{"SQL text", "values"}},
	{
		"transport",
		[]string{"client", "wire", "dial", "retry", "fault", "token", "storage", "storage_message", "trust", "transport"},
		[]string{"values"},
	},
}

// layerOf returns the index of a file's layer; len(layers) for what stands above them all.
func layerOf(file string) int {
	name := strings.TrimSuffix(file, ".go")
	for i, l := range layers {
		for _, f := range l.files {
			if name == f || strings.HasSuffix(f, "_") && strings.HasPrefix(name, f) {
				return i
			}
		}
	}
	return len(layers)
}

// TestLayers: a file of a lower layer knows nothing of a higher one: not of Conn, not of Connector.
func TestLayers(t *testing.T) {
	t.Parallel()
	for _, use := range fileUses(t) {
		from, to := layerOf(use.from), layerOf(use.to)
		if from == len(layers) || from == to {
			continue
		}
		if to == len(layers) || !slices.Contains(layers[from].uses, layers[to].name) {
			t.Errorf("%s (%s) uses %s of %s", use.from, layers[from].name, use.name, use.to)
		}
	}
}

// use is that a file uses something that another one declares.
type use struct{ from, to, name string }

// fileUses lists what the files of this package use of each other, one name for each pair of files.
func fileUses(t *testing.T) []use {
	t.Helper()
	fset := token.NewFileSet()
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range pkg.GoFiles {
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	// What is imported is left out: only names of this package count, and they are found without it.
	config := types.Config{Error: func(error) {}, FakeImportC: true}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	_, _ = config.Check(pkg.ImportPath, fset, files, info)
	seen := map[use]string{}
	note := func(at token.Pos, o types.Object) {
		if o == nil || !o.Pos().IsValid() {
			return
		}
		from, to := filepath.Base(fset.Position(at).Filename), filepath.Base(fset.Position(o.Pos()).Filename)
		if from != to {
			seen[use{from: from, to: to}] = o.Name()
		}
	}
	for id, o := range info.Uses {
		note(id.Pos(), o)
	}
	var uses []use
	for u, name := range seen {
		uses = append(uses, use{u.from, u.to, name})
	}
	slices.SortFunc(uses, func(a, b use) int { return strings.Compare(a.from+" "+a.to, b.from+" "+b.to) })
	if len(uses) < len(files) {
		t.Fatalf("got %d uses among %d files: the search has found too little", len(uses), len(files))
	}
	perFile := map[string]int{}
	for _, u := range uses {
		perFile[u.from]++
	}
	t.Logf("%d files, %d arrows, most: %v", len(files), len(uses), slices.MaxFunc(slices.Collect(maps.Keys(perFile)),
		func(a, b string) int { return perFile[a] - perFile[b] }))
	return uses
}
