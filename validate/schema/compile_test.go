package schema_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

func tree(tb testing.TB, text string) any {
	tb.Helper()
	v, err := strictjson.Tree([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// listed writes violations as "pointer keyword: detail", one a line.
func listed(err error) string {
	if err == nil {
		return ""
	}
	var lines []string
	for _, v := range guard.Public(err).Violations {
		lines = append(lines, v.Pointer+" "+v.Keyword+": "+v.Detail)
	}
	return strings.Join(lines, "\n")
}

func TestCompileTakesEveryDraft(t *testing.T) {
	for _, draft := range []string{
		"http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-07/schema#",
		"https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema",
	} {
		s := schema.MustCompile(fmt.Appendf(nil, `{"$schema":%q,"type":"object","properties":{"at":{"format":"date"}}}`, draft))
		if s.Validate(map[string]any{"at": "2026-02-28"}) != nil || s.Validate(map[string]any{"at": "2026-02-30"}) == nil || s.Validate("x") == nil {
			t.Errorf("%s: not judged as it should be", draft)
		}
	}
}

func TestTheDraftIs2020WithoutSchema(t *testing.T) {
	s := schema.MustCompile([]byte(`{"prefixItems":[{"type":"string"}],"items":false}`))
	if s.Validate([]any{"a"}) != nil || s.Validate([]any{"a", "b"}) == nil {
		t.Error("prefixItems and items are not those of 2020-12")
	}
}

// A reference can lead to the meta-schema of a draft, which asks for more than
// a schema can.
func TestASchemaOfSchemas(t *testing.T) {
	for draft, wrong := range map[string]string{
		"http://json-schema.org/draft-04/schema#":      `{"patternProperties":{"(":{}}}`,
		"http://json-schema.org/draft-07/schema#":      `{"pattern":"("}`,
		"https://json-schema.org/draft/2019-09/schema": `{"properties":{"a":{"items":{"minLength":"1"}}}}`,
		"https://json-schema.org/draft/2020-12/schema": `{"properties":{"a":{"items":{"minLength":"1"}}}}`,
	} {
		s := schema.MustCompile(fmt.Appendf(nil, `{"$ref":%q}`, draft))
		if err := s.Validate(tree(t, `{"patternProperties":{"^a":{"minLength":1}}}`)); err != nil {
			t.Errorf("%s: %v", draft, err)
		}
		if err := s.Validate(tree(t, wrong)); err == nil {
			t.Errorf("%s: %s is accepted", draft, wrong)
		}
	}
}

// An error names the schema and the place.
func TestCompileRefuses(t *testing.T) {
	for _, tt := range []struct {
		rule, schema string
		says         []string
	}{
		{rule: "a text that is not JSON", schema: `{"type":`, says: []string{"schema.json", "not valid JSON"}},
		{rule: "a keyword twice", schema: `{"type":"string","type":"object"}`, says: []string{"/type", "twice"}},
		{rule: "a second value", schema: `{} {}`, says: []string{"data follows"}},
		{
			rule:   "a value that the meta-schema does not allow",
			schema: `{"properties":{"a":{"type":"strin"}}}`,
			says:   []string{"/properties/a/type"},
		},
		{
			rule:   "a limit that cannot be represented",
			schema: `{"properties":{"a":{"maximum":1e1000001}}}`,
			says:   []string{"/properties/a/maximum", "512"},
		},
		{rule: "an enumeration with such a number", schema: `{"enum":[1,1e-600]}`, says: []string{"/enum/1"}},
		{
			rule:   "look-ahead",
			schema: `{"properties":{"a":{"pattern":"^(?=.*[a-z]).+$"}}}`,
			says:   []string{"/properties/a/pattern", "(?=", "RE2", "look-around"},
		},
		{rule: "look-behind", schema: `{"patternProperties":{"(?<!a)b":{}}}`, says: []string{"/patternProperties/(?<!a)b", "RE2"}},
		{rule: "a back-reference", schema: `{"pattern":"(a)\\1"}`, says: []string{`/pattern`, `\1`, "back-references"}},
		{
			rule:   "a pattern of draft 4",
			schema: `{"$schema":"http://json-schema.org/draft-04/schema#","patternProperties":{"(?=a)":{}}}`,
			says:   []string{"(?=a)"},
		},
		{rule: "a reference to nothing", schema: `{"$ref":"#/$defs/none"}`, says: []string{"#/$defs/none", "not found"}},
		{
			rule:   "a reference that only leads to itself",
			schema: `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`,
			says:   []string{"infinite loop"},
		},
		{
			rule:   "a meta-schema that nobody has given",
			schema: `{"$schema":"https://example.com/meta"}`,
			says:   []string{"https://example.com/meta", "not among the schemas"},
		},
		{
			rule:   "nesting without end",
			schema: strings.Repeat(`{"not":`, 300) + `{}` + strings.Repeat(`}`, 300),
			says:   []string{"levels of nesting"},
		},
		{rule: "a keyword of another type where the library would panic", schema: `{"$ref":7}`, says: []string{"/$ref"}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			_, err := schema.Compile([]byte(tt.schema))
			if err == nil {
				t.Fatal("it compiles")
			}
			if !strings.HasPrefix(err.Error(), "validate/schema: ") {
				t.Errorf("the error is not prefixed: %v", err)
			}
			for _, part := range tt.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error lacks %q: %v", part, err)
				}
			}
		})
	}
}

func TestMustCompilePanics(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.HasPrefix(err.Error(), "validate/schema: ") {
			t.Errorf("panicked with %v", err)
		}
	}()
	schema.MustCompile([]byte(`{"type":1}`))
}

// A server that listens and a file that is there prove that nobody asks.
func TestReferencesOpenNothing(t *testing.T) {
	var connections atomic.Int32
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	dir := t.TempDir()
	planted := filepath.Join(dir, "planted.json")
	if err := os.WriteFile(planted, []byte(`{"type":"string"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(dir, "inside")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	back := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(planted, back, back); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{
		srv.URL + "/planted.json", strings.Replace(srv.URL, "http:", "https:", 1) + "/planted.json", "//" + srv.Listener.Addr().String() + "/planted.json",
		"file://" + planted, planted, "../planted.json", "../../../../../.." + planted, "%2e%2e/planted.json", "..%2fplanted.json",
		"schema:///-/../planted.json", "schema:///planted.json",
	} {
		for _, text := range []string{
			fmt.Sprintf(`{"$ref":%q}`, ref),
			fmt.Sprintf(`{"$schema":%q}`, ref),
			fmt.Sprintf(`{"$id":%q,"properties":{"a":{"$ref":"other.json"}}}`, ref),
		} {
			t.Run(text, func(t *testing.T) {
				if _, err := schema.Compile([]byte(text)); err == nil {
					t.Error("Compile takes it")
				}
				if err := os.WriteFile(filepath.Join(inside, "root.json"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := schema.CompileFS(os.DirFS(inside), "root.json"); err == nil {
					t.Error("CompileFS takes it")
				}
			})
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	if read, ok := accessed(planted); ok && read.After(back) {
		t.Error("the file was read")
	}
}

func TestCompileFSFollowsReferencesInside(t *testing.T) {
	fsys := fstest.MapFS{
		"orders/order.json":      {Data: []byte(`{"properties":{"customer":{"$ref":"../common/customer.json#/$defs/id"},"item":{"$ref":"parts/item.json"},"back":{"$ref":"order.json#/properties/item"}}}`)},
		"orders/parts/item.json": {Data: []byte(`{"type":"integer"}`)},
		"common/customer.json":   {Data: []byte(`{"$defs":{"id":{"pattern":"^c-"}}}`)},
		"by-id.json":             {Data: []byte(`{"properties":{"a":{"$ref":"https://example.com/schemas/named.json"}}}`)},
		"named.json":             {Data: []byte(`{"$id":"https://example.com/schemas/named.json","properties":{"b":{"$ref":"second.json"}}}`)},
		"second file.json":       {Data: []byte(`{"$id":"https://example.com/schemas/second.json","type":"string"}`)},
		"space.json":             {Data: []byte(`{"$ref":"second%20file.json"}`)},
		"broken.json":            {Data: []byte(`{`)},
		"data.json":              {Data: []byte(`[1,2]`)},
	}
	for _, tt := range []struct {
		root           string
		valid, invalid any
	}{
		{root: "orders/order.json", valid: map[string]any{"customer": "c-1"}, invalid: map[string]any{"customer": "x"}},
		{root: "orders/order.json", valid: map[string]any{"item": json.Number("1")}, invalid: map[string]any{"item": "x"}},
		{root: "orders/order.json", valid: map[string]any{"back": json.Number("1")}, invalid: map[string]any{"back": "x"}},
		{
			root:    "by-id.json",
			valid:   map[string]any{"a": map[string]any{"b": "x"}},
			invalid: map[string]any{"a": map[string]any{"b": json.Number("1")}},
		},
		{root: "space.json", valid: "x", invalid: json.Number("1")},
	} {
		s, err := schema.CompileFS(fsys, tt.root)
		if err != nil {
			t.Errorf("%s: %v", tt.root, err)
			continue
		}
		if err := s.Validate(tt.valid); err != nil {
			t.Errorf("%s: %v", tt.root, err)
		}
		if s.Validate(tt.invalid) == nil {
			t.Errorf("%s: %v is taken", tt.root, tt.invalid)
		}
	}
	for _, root := range []string{"broken.json", "none.json", "../order.json", "/named.json"} {
		if _, err := schema.CompileFS(fsys, root); err == nil {
			t.Errorf("%s compiles", root)
		}
	}
	fsys["twin.json"] = fsys["named.json"]
	if _, err := schema.CompileFS(fsys, "by-id.json"); err == nil || !strings.Contains(err.Error(), "the same $id") {
		t.Errorf("two files with one $id: %v", err)
	}
}

// lax is a file system that opens any name and notes it.
type lax struct{ opened []string }

func (l *lax) Open(name string) (fs.File, error) {
	l.opened = append(l.opened, name)
	return fstest.MapFS{"x": {Data: []byte(`{"$ref":"a/../../../x.json"}`)}}.Open("x")
}

func TestCompileFSAsksForNoNameOutside(t *testing.T) {
	for _, root := range []string{"root.json", "../root.json", "/etc/root.json", "a/../../root.json", ""} {
		l := &lax{}
		if _, err := schema.CompileFS(l, root); err == nil {
			t.Errorf("%s compiles", root)
		}
		for _, name := range l.opened {
			if !fs.ValidPath(name) {
				t.Errorf("%s: %s was opened", root, name)
			}
		}
	}
}

func TestOptionsOfCompile(t *testing.T) {
	sku := schema.Format("sku", func(s string) bool { return strings.HasPrefix(s, "KB-") })
	for _, tt := range []struct {
		rule, schema string
		opts         []schema.Option
		v            any
		valid        bool
	}{
		{
			rule:   "a format of one's own is asserted",
			schema: `{"format":"sku"}`,
			opts:   []schema.Option{sku},
			v:      "XX-1",
		},
		{
			rule:   "and takes what is no string",
			schema: `{"format":"sku"}`,
			opts:   []schema.Option{sku},
			v:      true,
			valid:  true,
		},
		{rule: "one that nobody knows is not", schema: `{"format":"sku"}`, v: "XX-1", valid: true},
		{rule: "formats are asserted", schema: `{"format":"email"}`, v: "x"},
		{
			rule:   "formats can be comments",
			schema: `{"format":"email"}`,
			opts:   []schema.Option{schema.AnnotateFormats()},
			v:      "x",
			valid:  true,
		},
		{
			rule:   "in draft 7 too",
			schema: `{"$schema":"http://json-schema.org/draft-07/schema#","format":"email"}`,
			opts:   []schema.Option{schema.AnnotateFormats()},
			v:      "x",
			valid:  true,
		},
		{rule: "content is asserted", schema: `{"contentEncoding":"base64"}`, v: "!"},
		{
			rule:   "content can be a comment",
			schema: `{"contentEncoding":"base64"}`,
			opts:   []schema.Option{schema.AnnotateContent()},
			v:      "!",
			valid:  true,
		},
		{
			rule:   "content is no keyword of draft 6",
			schema: `{"$schema":"http://json-schema.org/draft-06/schema#","contentEncoding":"base64"}`,
			v:      "!",
			valid:  true,
		},
		{
			rule:   "the type of the content",
			schema: `{"contentMediaType":"application/json"}`,
			v:      `{"a":1,"a":2}`,
		},
		{
			rule:   "the schema of the content",
			schema: `{"contentEncoding":"base64","contentMediaType":"application/json","contentSchema":{"maximum":5}}`,
			v:      "Ng==",
		},
		{
			rule:   "and what it takes",
			schema: `{"contentEncoding":"base64","contentMediaType":"application/json","contentSchema":{"maximum":5}}`,
			v:      "NQ==",
			valid:  true,
		},
		{
			rule:   "a number in the content beyond the library's powers",
			schema: `{"contentMediaType":"application/json","contentSchema":{"maximum":5}}`,
			v:      "1e1000001",
		},
		{
			rule:   "such a number where the schema of the content allows all",
			schema: `{"contentMediaType":"application/json","contentSchema":{"type":"array"}}`,
			v:      "[1e1000001]",
		},
		{
			rule:   "content of a type that nobody knows",
			schema: `{"contentMediaType":"image/png","contentSchema":{"maximum":5}}`,
			v:      "7",
			valid:  true,
		},
	} {
		s, err := schema.Compile([]byte(tt.schema), tt.opts...)
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		if err := s.Validate(tt.v); (err == nil) != tt.valid {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

func TestASchemaOfTenThousandMembers(t *testing.T) {
	var b strings.Builder
	// The library takes a second for as many in draft 2020-12, for its anchors.
	b.WriteString(`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"properties":{"m":{}`)
	for i := range 10_000 {
		fmt.Fprintf(&b, `,"m%d":{"type":"integer","maximum":%d}`, i, i)
	}
	b.WriteString(`}}`)
	s, err := schema.Compile([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	err = s.Validate(tree(t, `{"m1":1,"m9999":10000,"m10000":1}`))
	want := "/m9999 maximum: must be at most 9999\n/m10000 additionalProperties: is not allowed"
	if got := listed(err); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestALongChainOfReferences(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/d0","$defs":{"d1000":{"type":"string"}`)
	for i := range 1000 {
		fmt.Fprintf(&b, `,"d%d":{"$ref":"#/$defs/d%d"}`, i, i+1)
	}
	b.WriteString(`}}`)
	s, err := schema.Compile([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(tree(t, `7`)); listed(err) != " type: must be a string" {
		t.Error(err)
	}
	if err := s.Validate("x"); err != nil {
		t.Error(err)
	}
}

// The library looks for a way back only along the way on which it compiles: this
// one leads through a member first.
func TestASchemaThatAppliesItselfWithoutEnd(t *testing.T) {
	const endless = `{"$ref":"#/$defs/R","allOf":[{"$ref":"#/$defs/Y"}],
		"$defs":{"R":{"properties":{"p":{"$ref":"#/$defs/Y"}}},"Y":{"allOf":[{"$ref":"#"}]}}}`
	inside := `{"contentMediaType":"application/json","contentSchema":{"$ref":"#/$defs/A"},"$defs":{"A":` +
		strings.NewReplacer(`"#"`, `"#/$defs/A"`, `#/$defs/`, `#/$defs/A/$defs/`).Replace(endless) + `}}`
	for _, text := range []string{endless, inside} {
		if _, err := schema.Compile([]byte(text)); err == nil || !strings.Contains(err.Error(), "without end") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// The library makes a negative number of a limit that is beyond an int.
func TestLimitsBeyondAnInt(t *testing.T) {
	for _, tt := range []struct {
		schema string
		tree   any
		valid  bool
	}{
		{schema: `{"maxLength":1e20}`, tree: "abc", valid: true},
		{schema: `{"minLength":1e20}`, tree: "abc"},
		{schema: `{"maxItems":1e20,"uniqueItems":true}`, tree: []any{"a"}, valid: true},
		{schema: `{"minItems":1e20}`, tree: []any{"a"}},
		{schema: `{"maxProperties":1e20,"unevaluatedProperties":true}`, tree: map[string]any{"a": nil}, valid: true},
		{schema: `{"minProperties":1e20}`, tree: map[string]any{"a": nil}},
		{schema: `{"contains":{"type":"string"},"minContains":1e20}`, tree: []any{"a"}},
		{schema: `{"contains":{"type":"string"},"maxContains":1e20}`, tree: []any{"a"}, valid: true},
	} {
		if err := schema.MustCompile([]byte(tt.schema)).Validate(tt.tree); (err == nil) != tt.valid {
			t.Errorf("%s: got %v, want valid %t", tt.schema, err, tt.valid)
		}
	}
}

func TestDynamicReferences(t *testing.T) {
	for _, text := range []string{
		`{"$dynamicAnchor":"n","properties":{"a":{"$dynamicRef":"#n"}},"required":["x"]}`,
		`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"properties":{"a":{"$recursiveRef":"#"}},"required":["x"]}`,
	} {
		err := schema.MustCompile([]byte(text)).Validate(tree(t, `{"x":1,"a":{"x":1,"a":{}}}`))
		if got, want := listed(err), "/a/a/x required: is required"; got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	// The tree that extends another one: which schema a reference leads to
	// depends on where the validation has begun.
	for _, text := range []string{
		`{"$id":"https://example.com/strict","$dynamicAnchor":"n","$ref":"tree","unevaluatedProperties":false,
			"$defs":{"tree":{"$id":"tree","$dynamicAnchor":"n","properties":{"a":{"$dynamicRef":"#n"}}}}}`,
		`{"$schema":"https://json-schema.org/draft/2019-09/schema","$id":"https://example.com/strict","$recursiveAnchor":true,"$ref":"tree",
			"$defs":{"tree":{"$id":"tree","$recursiveAnchor":true,"properties":{"a":{"$recursiveRef":"#"}}}}}`,
		`{"$dynamicAnchor":"meta","$ref":"https://json-schema.org/draft/2020-12/schema"}`,
		`{"properties":{"a":{"$ref":"https://json-schema.org/draft/2020-12/meta/applicator"},"b":{"$ref":"https://json-schema.org/draft/2020-12/schema"}}}`,
		`{"properties":{"a":{"$ref":"https://json-schema.org/draft/2019-09/meta/applicator"},"b":{"items":{"items":{"$ref":"https://json-schema.org/draft/2019-09/schema"}}}}}`,
	} {
		if _, err := schema.Compile([]byte(text)); err == nil || !strings.Contains(err.Error(), "several schemas") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// The formats of a meta-schema are no annotations: pattern must be a regular
// expression.
func TestAnnotateFormatsLeavesMetaSchemasAlone(t *testing.T) {
	for _, draft := range []string{"http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"} {
		s := schema.MustCompile(fmt.Appendf(nil, `{"$ref":%q}`, draft), schema.AnnotateFormats())
		if err := s.Validate(tree(t, `{"pattern":"("}`)); err == nil {
			t.Errorf("%s accepts a pattern that is none", draft)
		}
	}
}
