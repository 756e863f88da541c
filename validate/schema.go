package validate

import (
	"bytes"
	"fmt"
	"io/fs"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Schema judges a JSON value, given as map[string]any, []any, string, bool, nil
// and [encoding/json.Number]. It returns nil for a value that it accepts and is
// safe for concurrent use.
//
// [Compile] makes one. Another library's can stand in its place: a [*guard.Error]
// that it returns is passed on as it is, of any other error nothing is shown but
// that there was one, as its text may repeat the value. What bounds the cost of
// a check is known of the schemas of jsonschema/v5 alone.
//
// [*guard.Error]: https://pkg.go.dev/github.com/lambdarmor/lambdarmor/guard#Error
type Schema interface {
	Validate(v any) error
}

// Compile reads a JSON Schema of draft 4, 6, 7, 2019-09 or 2020-12, whichever
// its $schema names; without one it is 2020-12. format and the content keywords
// are asserted. The text must be strict JSON.
//
// A $ref resolves inside the schema and to the drafts' own meta-schemas. One
// that points elsewhere is an error: neither network nor file system is asked.
//
// Patterns are RE2's: they match in linear time and have no look-around and no
// back-references. The error names the place in the schema.
func Compile(schema []byte, opts ...CompileOption) (*jsonschema.Schema, error) {
	s := &sources{given: map[string][]byte{"schema.json": schema}}
	compiled, err := s.compile("schema.json", opts)
	if err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	return compiled, nil
}

// MustCompile is like [Compile] and panics where that returns an error.
func MustCompile(schema []byte, opts ...CompileOption) *jsonschema.Schema {
	compiled, err := Compile(schema, opts...)
	if err != nil {
		panic(err)
	}
	return compiled
}

// CompileFS is [Compile] of a file of fsys, named root, whose $ref may lead to
// the other files of fsys: by their path, relative to the file that refers, or
// by their $id where the name ends in .json. Nothing outside fsys is opened;
// whether a symbolic link leads out of it is fsys's matter: [embed.FS] and
// [os.Root] let none, [os.DirFS] does.
//
// [embed.FS]: https://pkg.go.dev/embed#FS
// [os.Root]: https://pkg.go.dev/os#Root
// [os.DirFS]: https://pkg.go.dev/os#DirFS
func CompileFS(fsys fs.FS, root string, opts ...CompileOption) (*jsonschema.Schema, error) {
	s := &sources{given: map[string][]byte{}, fsys: fsys}
	compiled, err := s.compile(root, opts)
	if err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	return compiled, nil
}

// A CompileOption changes what a schema asserts.
type CompileOption func(*compileOptions)

type compileOptions struct {
	formats         map[string]func(any) bool
	annotateFormats bool
	annotateContent bool
}

// Format defines a format of the name for strings, or replaces one. A format
// that nobody has defined asserts nothing, as the drafts have it.
func Format(name string, valid func(string) bool) CompileOption {
	return func(o *compileOptions) {
		if o.formats == nil {
			o.formats = map[string]func(any) bool{}
		}
		o.formats[name] = func(v any) bool {
			s, ok := v.(string)
			return !ok || valid(s)
		}
	}
}

// AnnotateFormats takes format for a comment, as drafts 2019-09 and 2020-12 do
// where nothing else is agreed on.
func AnnotateFormats() CompileOption {
	return func(o *compileOptions) { o.annotateFormats = true }
}

// AnnotateContent takes contentEncoding, contentMediaType and contentSchema for
// comments, as drafts 2019-09 and 2020-12 do where nothing else is agreed on.
func AnnotateContent() CompileOption {
	return func(o *compileOptions) { o.annotateContent = true }
}

// draftOf is what $schema says at the top of a schema.
func draftOf(doc any) string {
	members, _ := doc.(map[string]any)
	draft, _ := members["$schema"].(string)
	return draft
}

func (o *compileOptions) compiler(doc any) *jsonschema.Compiler {
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	if o.annotateFormats { // not by AssertFormat: drafts before 2019-09 do not ask it
		for name := range jsonschema.Formats {
			c.Formats[name] = nil
		}
	} else {
		for name, valid := range o.formats {
			c.Formats[name] = valid
		}
	}
	// The library reads content with encoding/json and no limits; see contentRule.
	c.Decoders["base64"] = nil
	c.MediaTypes["application/json"] = nil
	if draft := []byte(draftOf(doc)); !o.annotateContent && !bytes.Contains(draft, []byte("draft-04")) && !bytes.Contains(draft, []byte("draft-06")) {
		c.RegisterExtension("content", nil, contentKeywords{})
	}
	return c
}
