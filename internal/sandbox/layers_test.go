package sandbox

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are the packages of the sandbox, lowest first. Each may import the ones before it. "." is the sandbox
// itself.
var layers = []string{"builtin", "googlesql", "engine", "cells", "load", "wholefile", "apierror", "wire", "catalog",
	"infoschema", "jobs", "storageapi", "."}

// TestLayers keeps the imports between the sandbox's packages one way, and HTTP and gRPC at the top.
func TestLayers(t *testing.T) {
	t.Parallel()
	const prefix = "github.com/bigqueryuser/bigqueryuser/internal/sandbox"
	serving := map[string][]string{
		"net/http":               {"apierror", "."}, // an error is an answer, too
		"google.golang.org/grpc": {"storageapi", "."},
		prefix + "/storageapi":   {"."},
	}
	files, err := filepath.Glob("*/*.go")
	top, topErr := filepath.Glob("*.go")
	if err != nil || topErr != nil || len(files) == 0 || len(top) == 0 {
		t.Fatalf("got %d and %d files, %v, %v", len(files), len(top), err, topErr)
	}
	for _, file := range append(files, top...) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		in := filepath.ToSlash(filepath.Dir(file))
		at := slices.Index(layers, in)
		if at < 0 {
			t.Errorf("%s: the package is not in layers", file)
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if only, ok := serving[path]; ok && !slices.Contains(only, in) {
				t.Errorf("%s imports %s; want that of %v alone", file, path, only)
			}
			if name, ok := strings.CutPrefix(path, prefix+"/"); ok && slices.Index(layers, name) >= at {
				t.Errorf("%s imports %s, which stands above it", file, name)
			}
		}
	}
}
