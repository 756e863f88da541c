package schema

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// The official suite, https://github.com/json-schema-org/JSON-Schema-Test-Suite,
// is judged twice: by the library alone and by what this package makes of it.
func TestOfficialSuite(t *testing.T) {
	root := os.Getenv("JSON_SCHEMA_TEST_SUITE")
	if root == "" {
		t.Skip("set JSON_SCHEMA_TEST_SUITE to a copy of the JSON-Schema-Test-Suite, or run: make schema-suite SUITE=<folder>")
	}
	for folder, draft := range map[string]string{
		"draft4":       "http://json-schema.org/draft-04/schema#",
		"draft6":       "http://json-schema.org/draft-06/schema#",
		"draft7":       "http://json-schema.org/draft-07/schema#",
		"draft2019-09": "https://json-schema.org/draft/2019-09/schema",
		"draft2020-12": "https://json-schema.org/draft/2020-12/schema",
	} {
		for _, kind := range []struct {
			name, pattern string
			opts          []Option
		}{
			// The required tests take formats and content for annotations.
			{name: "required", pattern: "*.json", opts: []Option{AnnotateFormats(), AnnotateContent()}},
			{name: "formats", pattern: "optional/format/*.json"},
			{name: "content", pattern: "optional/content.json"},
		} {
			t.Run(folder+"/"+kind.name, func(t *testing.T) {
				s := suite{root: root, draft: draft, opts: kind.opts, remotes: remotes(t, root, draft)}
				files, err := filepath.Glob(filepath.Join(root, "tests", folder, kind.pattern))
				if err != nil {
					t.Fatal(err)
				}
				if len(files) == 0 && kind.name == "required" {
					t.Fatalf("%s holds no tests of %s", root, folder)
				}
				for _, file := range files {
					s.run(t, file)
				}
				t.Logf("%d tests: the library passes %d, this package %d; %d more have a dynamic reference with several targets", s.tests, s.library, s.own, s.dynamic)
				if s.own < s.library {
					t.Errorf("this package passes %d tests, the library %d", s.own, s.library)
				}
			})
		}
	}
}

type suite struct {
	root, draft         string
	opts                []Option
	remotes             map[string][]byte // URL → text
	tests, library, own int
	dynamic             int // tests of a dynamic reference with several targets
}

type suiteGroup struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

func (s *suite) run(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var groups []suiteGroup
	if err := json.Unmarshal(text, &groups); err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		schema := withDraft(g.Schema, s.draft)
		direct, directErr := s.direct(schema)
		own, ownErr := s.compile(schema)
		if ownErr != nil && strings.Contains(ownErr.Error(), "several schemas") {
			s.dynamic += len(g.Tests)
			continue
		}
		if (directErr == nil) != (ownErr == nil) {
			t.Errorf("%s: %s: the library compiles with %v, this package with %v", filepath.Base(file), g.Description, directErr, ownErr)
		}
		for _, test := range g.Tests {
			s.tests++
			if directErr == nil && (verdict(direct, test.Data) == nil) == test.Valid {
				s.library++
			}
			if ownErr != nil {
				continue
			}
			err := throughBody(own, test.Data)
			if (err == nil) == test.Valid {
				s.own++
			}
			// The library reads "+1" as a part of an IPv4 address.
			if directErr == nil && (verdict(direct, test.Data) == nil) != (err == nil) && (err == nil) != test.Valid {
				t.Errorf("%s: %s: %s: this package says %v", filepath.Base(file), g.Description, test.Description, err)
			}
		}
	}
}

// direct compiles with the library, asserting what this package asserts.
func (s *suite) direct(schema []byte) (_ *jsonschema.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("panic")
		}
	}()
	c := jsonschema.NewCompiler()
	c.AssertFormat, c.AssertContent = s.opts == nil, s.opts == nil
	c.LoadURL = func(location string) (io.ReadCloser, error) {
		if text, ok := s.remotes[location]; ok {
			return io.NopCloser(strings.NewReader(string(text))), nil
		}
		return nil, fs.ErrNotExist
	}
	if err := c.AddResource("schema:///-/schema.json", strings.NewReader(string(schema))); err != nil {
		return nil, err
	}
	return c.Compile("schema:///-/schema.json")
}

// compile is Compile, with the remotes of the suite for what it needs of them.
func (s *suite) compile(schema []byte) (*validate.Schema, error) {
	compiled, err := Compile(schema, s.opts...)
	if err == nil || !strings.Contains(err.Error(), "not among the schemas") {
		return compiled, err
	}
	src := &sources{given: map[string][]byte{"schema.json": schema}, ids: map[string]string{}}
	for location, text := range s.remotes {
		src.given[location] = text
		src.ids[location] = location
	}
	return src.schema("schema.json", s.opts)
}

func verdict(s *jsonschema.Schema, data []byte) error {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return err
	}
	return s.Validate(v)
}

func throughBody(s *validate.Schema, data []byte) error {
	payload, err := json.Marshal(map[string]any{
		"version": "2.0", "headers": map[string]string{"content-type": "application/json"}, "body": string(data),
		"requestContext": map[string]any{"http": map[string]string{"method": "POST"}},
	})
	if err != nil {
		return err
	}
	pass := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, nil })
	_, err = guard.Wrap(pass, validate.Body(s)).Invoke(context.Background(), payload)
	return err
}

// withDraft names the draft of the folder in a schema that names none.
func withDraft(schema json.RawMessage, draft string) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(schema, &members) != nil || members == nil || members["$schema"] != nil {
		return schema
	}
	members["$schema"], _ = json.Marshal(draft)
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return text
}

func remotes(t *testing.T, root, draft string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	top := os.DirFS(filepath.Join(root, "remotes"))
	err := fs.WalkDir(top, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		text, err := fs.ReadFile(top, name)
		found["http://localhost:1234/"+name] = withDraft(text, draft)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
