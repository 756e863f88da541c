package validate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// sources are the schemas that a $ref can lead to, and the only ones.
type sources struct {
	given map[string][]byte // name → text
	fsys  fs.FS             // nil: given is all there is
	ids   map[string]string // $id → name in fsys; nil until one is asked for
}

// prefix is what every name stands below, so that the URL of a file that is
// not below the top is told apart by its own path.
const prefix = "schema:///-/"

func urlOf(name string) string {
	u := url.URL{Scheme: "schema", Path: "/-/" + name}
	return u.String()
}

func (s *sources) compile(root string, opts []CompileOption) (compiled *jsonschema.Schema, err error) {
	var o compileOptions
	for _, opt := range opts {
		opt(&o)
	}
	doc, err := s.parse(root)
	if err != nil {
		return nil, err
	}
	c := o.compiler(doc)
	c.LoadURL = s.load
	defer func() { // the library trusts a schema to be as its meta-schema has it
		if r := recover(); r != nil {
			compiled, err = nil, fmt.Errorf("schema %s: %v", root, r)
		}
	}()
	compiled, err = c.Compile(urlOf(root))
	if err != nil {
		return nil, s.explain(root, err)
	}
	g := newGraph(compiled)
	if g.leadsBack() {
		return nil, fmt.Errorf("schema %s: a schema in it applies itself to its own value, without end", root)
	}
	for _, s := range g.all {
		countBeyondInt(s)
	}
	return compiled, nil
}

// countBeyondInt makes limits the largest that there can be where the library
// has made a negative number of one that is beyond an int.
func countBeyondInt(s *jsonschema.Schema) {
	for _, limit := range []*int{
		&s.MinProperties, &s.MaxProperties, &s.MinItems, &s.MaxItems, &s.MinContains, &s.MaxContains, &s.MinLength, &s.MaxLength,
	} {
		if *limit < -1 { // which is none
			*limit = math.MaxInt
		}
	}
}

// load is asked by the compiler for every document, the root included.
func (s *sources) load(location string) (io.ReadCloser, error) {
	name, err := s.name(location)
	if err != nil {
		return nil, err
	}
	if _, err := s.parse(name); err != nil {
		return nil, err
	}
	text, err := s.read(name)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(text)), nil
}

// name finds which of the sources is at a URL.
func (s *sources) name(location string) (string, error) {
	if path, ok := strings.CutPrefix(location, prefix); ok {
		name, err := url.PathUnescape(path)
		if err == nil {
			return name, nil
		}
	} else {
		if s.ids == nil && s.fsys != nil {
			if err := s.index(); err != nil {
				return "", err
			}
		}
		if name, ok := s.ids[location]; ok {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s is outside of what was given", strings.TrimPrefix(location, prefix))
}

func (s *sources) read(name string) ([]byte, error) {
	if text, ok := s.given[name]; ok {
		return text, nil
	}
	if s.fsys == nil || !fs.ValidPath(name) {
		return nil, fmt.Errorf("%s is outside of what was given", name)
	}
	text, err := fs.ReadFile(s.fsys, name)
	if err != nil {
		return nil, err
	}
	s.given[name] = text
	return text, nil
}

// index finds the files that say what they are to be called.
func (s *sources) index() error {
	s.ids = map[string]string{}
	return fs.WalkDir(s.fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".json") {
			return err
		}
		doc, err := s.parse(name)
		if err != nil {
			return nil // not a schema, or an error once it is asked for
		}
		members, _ := doc.(map[string]any)
		for _, keyword := range []string{"$id", "id"} {
			id, _ := members[keyword].(string)
			id, _, _ = strings.Cut(id, "#")
			if u, err := url.Parse(id); err != nil || !u.IsAbs() {
				continue
			}
			if other, ok := s.ids[id]; ok {
				return fmt.Errorf("%s and %s have the same $id", other, name)
			}
			s.ids[id] = name
			break
		}
		return nil
	})
}

// The library recurses over a schema, and multiplies its numbers out.
const (
	maxSchemaDepth = 256
	maxSchemaNodes = 1 << 20
)

// parse reads a schema strictly: the library would take one with a keyword
// twice, and ignore a limit that it cannot represent.
func (s *sources) parse(name string) (any, error) {
	text, err := s.read(name)
	if err != nil {
		return nil, err
	}
	err = strictjson.Check(text, maxSchemaDepth, maxSchemaNodes)
	var doc any
	if err == nil {
		doc, err = strictjson.Tree(text)
	}
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	if measure(doc).far {
		var places []string
		farNumbers(doc, "", func(pointer string) { places = append(places, pointer) })
		return nil, fmt.Errorf("schema %s: %q: %s", name, slices.Min(places), farDetail)
	}
	return doc, nil
}

// explain says which schema is wrong, and where.
func (s *sources) explain(root string, err error) error {
	name := root
	var failed *jsonschema.SchemaError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return fmt.Errorf("schema %s: %w", name, err)
	}
	leaf := invalid
	for len(leaf.Causes) > 0 {
		leaf = leaf.Causes[0]
	}
	place := plainPointer(leaf.InstanceLocation)
	if strings.HasSuffix(leaf.KeywordLocation, "/format") {
		if reason := s.badPattern(place); reason != nil {
			return fmt.Errorf("schema %s: %s: %w; patterns are RE2, which has neither look-around nor back-references", name, place, reason)
		}
	}
	return fmt.Errorf("schema %s: %q: %s", name, place, strings.ReplaceAll(leaf.Message, prefix, ""))
}

// badPattern gives the reason why the pattern at a place of one of the sources
// is none: the value of a pattern, or the name of a pattern property.
func (s *sources) badPattern(place string) error {
	for _, text := range s.given {
		doc, err := strictjson.Tree(text)
		if err != nil {
			continue
		}
		value, ok := lookup(doc, place)
		if !ok {
			continue
		}
		pattern, ok := value.(string)
		if !ok {
			pattern = unescape(place[strings.LastIndexByte(place, '/')+1:])
		}
		if _, err := regexp.Compile(pattern); err != nil {
			return err
		}
	}
	return nil
}
