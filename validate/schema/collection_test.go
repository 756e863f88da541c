package schema

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// The instances of https://github.com/SchemaStore/schemastore are judged as the
// library judges them.
func TestSchemaCollection(t *testing.T) {
	root := os.Getenv("SCHEMA_COLLECTION")
	if root == "" {
		t.Skip("set SCHEMA_COLLECTION to a copy of schemastore")
	}
	schemas, instances, refused, costly := 0, 0, 0, 0
	for _, kind := range []string{"test", "negative_test"} {
		folders, err := filepath.Glob(filepath.Join(root, "src", kind, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, folder := range folders {
			name := filepath.Base(folder) + ".json"
			oracle, own := compileBoth(t, filepath.Join(root, "src/schemas/json", name))
			files, err := filepath.Glob(filepath.Join(folder, "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			if oracle == nil || own == nil || len(files) == 0 {
				continue
			}
			schemas++
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				tree, err := guard.EventOf(t.Context(), text).Tree()
				if err != nil {
					continue
				}
				instances++
				want, got := oracle.Validate(tree), own.Validate(tree)
				if got != nil {
					refused++
				}
				if got != nil && guard.Public(got).Code == "validation_too_costly" {
					costly++
				}
				if (want == nil) != (got == nil) {
					t.Errorf("%s: got %v %+v, the library says %v", file, got, guard.Public(got).Violations, want)
				}
			}
		}
	}
	t.Logf("%d schemas, %d instances: %d are refused, %d of them for their cost", schemas, instances, refused, costly)
}

// compileBoth returns nil for a schema that the library does not compile either.
func compileBoth(t *testing.T, file string) (*jsonschema.Schema, *validate.Schema) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil
	}
	s := &sources{given: map[string][]byte{"schema.json": text}}
	oracle, err := s.library("schema.json")
	if err != nil {
		if !slices.ContainsFunc([]string{"not among the schemas", "RE2"}, func(part string) bool { return strings.Contains(err.Error(), part) }) {
			t.Logf("%s: %v", filepath.Base(file), err)
		}
		return nil, nil
	}
	own, err := Compile(text)
	if err != nil {
		t.Errorf("%s: %v", filepath.Base(file), err)
	}
	return oracle, own
}
