package validate

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Of these, so many cost as much as a check.
const (
	bytesPerCheck    = 200 // in the library's error, which holds whole enumerations
	equalsPerCheck   = 3   // numbers that are compared: the library makes fractions of both
	missingPerCheck  = 4   // members that are required
	unknownPerCheck  = 2   // members that are not allowed
	knownPerCheck    = 64  // members that have a schema
	matchesPerCheck  = 8   // names that are matched with a pattern
	scannedPerCheck  = 256 // bytes of a string with a pattern or format
	comparedPerCheck = 32  // see checksOfUnique
)

// extra is what a schema can cost at a value beyond a check, for keywords whose
// cost grows with what stands in the schema.
type extra struct {
	schema  *jsonschema.Schema
	said    int // bytes of what the library says when it refuses a value
	values  map[any]bool
	equals  int // numbers in the values that are allowed
	inside  int // values in the objects and arrays among them
	pattern int
}

func newExtra(s *jsonschema.Schema) *extra {
	x := &extra{schema: s}
	for _, v := range slices.Concat(s.Constant, s.Enum) {
		switch v := v.(type) {
		case nil, bool, string:
			if x.values == nil {
				x.values = map[any]bool{}
			}
			x.values[v] = true
			x.said += len(fmt.Sprintf("%#v, ", v))
		case json.Number:
			x.equals++
			x.said += len(fmt.Sprintf("%#v, ", v))
		default:
			x.inside += measure(v).nodes
		}
	}
	if s.Pattern != nil {
		x.pattern = len(s.Pattern.String())
	}
	return x
}

// at is what it comes to at a value.
func (x *extra) at(v any) uint64 {
	s, n := x.schema, 0
	switch v := v.(type) {
	case nil, bool, string:
		if !x.values[v] {
			n = x.said / bytesPerCheck
		}
		if text, ok := v.(string); ok {
			n += x.pattern / bytesPerCheck
			if s.Pattern != nil || s.Format != "" {
				n += len(text) / scannedPerCheck
			}
		}
	case map[string]any:
		n = x.said/bytesPerCheck + x.inside/equalsPerCheck + x.members(v)
	case []any:
		n = x.said/bytesPerCheck + x.inside/equalsPerCheck
	default:
		n = x.said/bytesPerCheck + x.equals/equalsPerCheck
	}
	return uint64(n)
}

// members is what the keywords about members come to.
func (x *extra) members(v map[string]any) int {
	s, missing := x.schema, 0
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			missing++
		}
	}
	for name := range s.DependentRequired {
		if _, ok := v[name]; ok {
			missing += len(s.DependentRequired[name])
		}
	}
	for name := range s.Dependencies {
		if _, ok := v[name]; ok {
			needs, _ := s.Dependencies[name].([]string)
			missing += len(needs)
		}
	}
	n := missing/missingPerCheck + len(s.Properties)/knownPerCheck + len(s.PatternProperties)*len(v)/matchesPerCheck
	if s.AdditionalProperties == false && len(v) > len(s.Properties) {
		n += (len(v) - len(s.Properties)) / unknownPerCheck
	}
	return n
}

// mostExtra bounds extra for each value, as part of what is counted for values
// and for the bytes of strings.
func mostExtra(s *jsonschema.Schema) uint64 {
	x := newExtra(s)
	missing := len(s.Required)
	for _, needs := range s.DependentRequired {
		missing += len(needs)
	}
	for _, dependency := range s.Dependencies {
		needs, _ := dependency.([]string)
		missing += len(needs)
	}
	n := x.said/bytesPerCheck + x.pattern/bytesPerCheck + (x.equals+x.inside)/equalsPerCheck +
		missing/missingPerCheck + len(s.Properties)/knownPerCheck
	if len(s.PatternProperties) > 0 { // for each member, rounded up
		n += 1 + len(s.PatternProperties)/matchesPerCheck
	}
	if s.AdditionalProperties == false {
		n++
	}
	return uint64(n)
}
