package validate

import (
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// index finds the schema that an error comes from, by its location.
type index struct {
	schemas map[string]*jsonschema.Schema
	names   map[*jsonschema.Schema]bool // those that judge the names of members
}

func newIndex(g *graph) *index {
	x := &index{schemas: make(map[string]*jsonschema.Schema, len(g.all)), names: map[*jsonschema.Schema]bool{}}
	for _, s := range g.all {
		x.schemas[s.Location] = s
		if s.PropertyNames != nil {
			x.names[s.PropertyNames] = true
		}
	}
	return x
}

// find splits the location of a keyword into the schema that has it, nil when
// it is not known, and the path of the keyword in it.
func (x *index) find(location string) (s *jsonschema.Schema, path string) {
	// A keyword's path has at most three tokens: dependentRequired/name/0.
	at := len(location)
	for range 4 {
		// The whole location is that of a schema for the schema false, and for a
		// "not", which is the keyword's of the schema around it.
		if s, ok := x.at(location[:at]); ok && (at < len(location) || s.Always != nil && !*s.Always) {
			return s, strings.TrimPrefix(location[at:], "/")
		}
		at = strings.LastIndexByte(location[:at], '/')
		if at < 0 {
			break
		}
	}
	return nil, location[strings.LastIndexByte(location, '/')+1:]
}

func (x *index) at(location string) (*jsonschema.Schema, bool) {
	if x == nil {
		return nil, false
	}
	s, ok := x.schemas[location]
	return s, ok
}
