package schema

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/validate/internal/judge"
)

// sources are the schemas that a $ref can lead to, and the only ones.
type sources struct {
	given map[string][]byte // name → text
	fsys  fs.FS             // nil: only given
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
	return "", fmt.Errorf("%s is not among the schemas", strings.TrimPrefix(location, prefix))
}

func (s *sources) read(name string) ([]byte, error) {
	if text, ok := s.given[name]; ok {
		return text, nil
	}
	if s.fsys == nil || !fs.ValidPath(name) {
		return nil, fmt.Errorf("%s is not among the schemas", name)
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

// The library recurses over a schema.
const (
	maxDepth = 256
	maxNodes = 1 << 20
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
	return doc, judge.CheckNumbers(doc)
}
