// Package schema compiles JSON Schemas of the drafts 4, 6, 7, 2019-09 and 2020-12
// when the function starts.
//
//	validate.Body(schema.MustCompile(orderSchema))
//
// It links the library jsonschema/v5, which takes some milliseconds at each
// cold start. The command schemagen compiles a schema when the function is
// built instead; the function then links neither.
package schema

import (
	"io/fs"

	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

// Compile compiles the text of a JSON Schema, which must be strict JSON. The
// draft is named by $schema, and is 2020-12 without it. The keywords format,
// contentEncoding, contentMediaType and contentSchema are asserted.
//
// A $ref may point into the schema and to the meta-schemas of the drafts. Any
// other target is an error: nothing is read from a network or a file system.
// A pattern must be in the syntax of RE2, which has no look-around and no
// back-references. A $dynamicRef or $recursiveRef that could lead to several
// schemas is an error.
//
// The error names the place in the schema.
func Compile(text []byte, opts ...Option) (*validate.Schema, error) {
	s := &sources{given: map[string][]byte{"schema.json": text}}
	return s.schema("schema.json", opts)
}

// MustCompile is like [Compile] but panics if there is an error.
func MustCompile(text []byte, opts ...Option) *validate.Schema {
	s, err := Compile(text, opts...)
	if err != nil {
		panic(err)
	}
	return s
}

// CompileFS compiles the file root of fsys like [Compile]. A $ref may also lead to
// other files of fsys: by a relative path, or by the $id of a file whose name ends
// in .json.
//
// Nothing outside fsys is opened. Whether a symbolic link can lead out of it
// depends on fsys: [embed.FS] and [os.Root] allow none, [os.DirFS] does.
//
// [embed.FS]: https://pkg.go.dev/embed#FS
// [os.Root]: https://pkg.go.dev/os#Root
// [os.DirFS]: https://pkg.go.dev/os#DirFS
func CompileFS(fsys fs.FS, root string, opts ...Option) (*validate.Schema, error) {
	s := &sources{given: map[string][]byte{}, fsys: fsys}
	return s.schema(root, opts)
}

// Program compiles like [CompileFS] and returns the result as data, for
// schemagen to write.
func Program(fsys fs.FS, root string, opts ...Option) (*program.Program, error) {
	s := &sources{given: map[string][]byte{}, fsys: fsys}
	p, _, err := s.compile(root, opts)
	return p, err
}

// Option changes what a schema asserts.
type Option struct{ set func(*options) }

type options struct {
	formats         []validate.Format
	annotateFormats bool
	annotateContent bool
}

// Format defines a format for strings, or replaces a known one. An unknown
// format accepts every string.
func Format(name string, valid func(string) bool) Option {
	return Option{func(o *options) { o.formats = append(o.formats, validate.Format{Name: name, Valid: valid}) }}
}

// AnnotateFormats ignores the keyword format, as drafts 2019-09 and 2020-12 do
// by default.
func AnnotateFormats() Option {
	return Option{func(o *options) { o.annotateFormats = true }}
}

// AnnotateContent ignores contentEncoding, contentMediaType and contentSchema,
// as drafts 2019-09 and 2020-12 do by default.
func AnnotateContent() Option {
	return Option{func(o *options) { o.annotateContent = true }}
}
