package exampletest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// The log shows the text of a guard.Reason, and of errors.New the type alone. A
// text that is a constant is therefore a reason, so that an operator can read it.
func TestConstantsThatAreErrorsAreReasons(t *testing.T) {
	for _, dir := range []string{"authorizer", "guard", "idempotency", "secrets", "validate"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && forDevelopment(d.Name()):
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "New" {
					if p, ok := f.X.(*ast.Ident); ok && p.Name == "errors" {
						t.Errorf("%s: errors.New: the log shows no text of it; want a reason", path)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// forDevelopment reports whether a directory holds what no function links.
func forDevelopment(dir string) bool {
	switch dir {
	case "guardtest", "local", "lint", "testdata", "awstest", "agenttest", "secretstest", "historytest", "storetest", "model":
		return true
	}
	return false
}
