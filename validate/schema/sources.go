package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// sources are the schemas that a $ref can lead to, and the only ones.
type sources struct {
	given map[string][]byte // name → text
	fsys  fs.FS             // nil: given is all there is
	ids   map[string]string // $id → name in fsys; nil until one is asked for

	loaded []any // the documents that a $ref has led to
}

// prefix is the start of every URL of a source. The path in it makes a
// reference that leads above the root visible.
const prefix = "schema:///-/"

func urlOf(name string) string {
	u := url.URL{Scheme: "schema", Path: "/-/" + name}
	return u.String()
}

// load is called by the library for every document, the root included.
func (s *sources) load(location string) (io.ReadCloser, error) {
	name, err := s.name(location)
	if err != nil {
		return nil, err
	}
	doc, err := s.parse(name)
	if err != nil {
		return nil, err
	}
	s.loaded = append(s.loaded, doc)
	return io.NopCloser(bytes.NewReader(s.given[name])), nil
}

// name returns the source at a URL.
func (s *sources) name(location string) (string, error) {
	if path, ok := strings.CutPrefix(location, prefix); ok {
		if name, err := url.PathUnescape(path); err == nil {
			return name, nil
		}
	}
	if s.ids == nil && s.fsys != nil {
		if err := s.index(); err != nil {
			return "", err
		}
	}
	if name, ok := s.ids[location]; ok {
		return name, nil
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
	if err == nil {
		s.given[name] = text
	}
	return text, err
}

// index finds the files with an absolute $id.
func (s *sources) index() error {
	s.ids = map[string]string{}
	return fs.WalkDir(s.fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".json") {
			return err
		}
		text, err := fs.ReadFile(s.fsys, name)
		if err != nil {
			return err
		}
		doc, err := parse(text)
		if err != nil {
			return nil // not a schema, or an error if a $ref leads to it
		}
		members, _ := doc.(map[string]any)
		id, ok := members["$id"].(string)
		if !ok {
			id, _ = members["id"].(string)
		}
		id, _, _ = strings.Cut(id, "#")
		if u, err := url.Parse(id); err != nil || !u.IsAbs() {
			return nil
		}
		if other, ok := s.ids[id]; ok {
			return fmt.Errorf("%s and %s have the same $id", other, name)
		}
		s.ids[id] = name
		return nil
	})
}

func (s *sources) parse(name string) (any, error) {
	text, err := s.read(name)
	if err != nil {
		return nil, err
	}
	doc, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	return doc, nil
}

// The library recurses over a schema, and multiplies its numbers out.
const (
	maxDepth  = 256
	maxNodes  = 1 << 20
	maxDigits = 512
)

// parse reads a schema strictly: the library would accept one that has a
// keyword twice.
func parse(text []byte) (any, error) {
	if err := strictjson.Check(text, maxDepth, maxNodes); err != nil {
		return nil, err
	}
	doc, err := strictjson.Tree(text)
	if err != nil {
		return nil, err
	}
	var places []string
	walk(doc, "", func(pointer string, v any) {
		if number, ok := v.(json.Number); ok && !bounded(string(number)) {
			places = append(places, pointer)
		}
	})
	if len(places) > 0 {
		return nil, fmt.Errorf("%q: must be a number of at most %d digits, with an exponent of at most %d", slices.Min(places), maxDigits, maxDigits)
	}
	return doc, nil
}

func bounded(number string) bool {
	i := strings.IndexAny(number, "eE")
	if i < 0 || len(number) > maxDigits {
		return len(number) <= maxDigits
	}
	exponent, err := strconv.Atoi(number[i+1:])
	return err == nil && max(exponent, -exponent) <= maxDigits
}

// walk calls visit with every value in a document, and its pointer in which
// nothing is escaped.
func walk(v any, pointer string, visit func(pointer string, v any)) {
	visit(pointer, v)
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			walk(inner, pointer+"/"+name, visit)
		}
	case []any:
		for i, inner := range v {
			walk(inner, pointer+"/"+strconv.Itoa(i), visit)
		}
	}
}

// unescape turns a pointer of the library into one in which nothing is escaped.
func unescape(location string) string {
	if plain, err := url.PathUnescape(location); err == nil {
		location = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(location)
}
