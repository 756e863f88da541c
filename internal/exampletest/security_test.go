package exampletest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each promise of SECURITY.md is held by tests that name it in their comment:
//
//	// SECURITY: One meaning.
func TestEachPromiseOfSECURITYIsHeldByATest(t *testing.T) {
	promises := promisesOf(t, "../../SECURITY.md")
	held := map[string][]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..", d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return noteHolders(path, held)
	})
	if err != nil {
		t.Fatal(err)
	}
	for promise := range promises {
		if len(held[promise]) == 0 {
			t.Errorf("no test holds the promise %q: want // SECURITY: %s in the comment of one", promise, promise)
		}
	}
	for promise, tests := range held {
		if !promises[promise] {
			t.Errorf("%v hold %q, which SECURITY.md does not promise", tests, promise)
		}
	}
	if len(promises) < 7 {
		t.Errorf("got %d promises, want at least 7", len(promises))
	}
}

// promisesOf returns the names of the list "In scope".
func promisesOf(t *testing.T, path string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, scope, _ := strings.Cut(string(text), "\n## In scope\n")
	scope, _, _ = strings.Cut(scope, "\n## ")
	promises := map[string]bool{}
	for line := range strings.Lines(scope) {
		if item, ok := strings.CutPrefix(line, "- "); ok {
			name := regexp.MustCompile(`^\*\*(.+)\*\*`).FindStringSubmatch(item)
			if name == nil {
				t.Fatalf("a promise without a name: %s", line)
			}
			promises[name[1]] = true
		}
	}
	return promises
}

// noteHolders adds the tests of a file that name a promise.
func noteHolders(path string, held map[string][]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "Test") && !strings.HasPrefix(f.Name.Name, "Fuzz") {
			continue
		}
		for line := range strings.Lines(f.Doc.Text()) {
			if promise, ok := strings.CutPrefix(line, "SECURITY: "); ok {
				promise = strings.TrimSpace(promise)
				held[promise] = append(held[promise], f.Name.Name)
			}
		}
	}
	return nil
}
