package strictjson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	v2 "github.com/go-json-experiment/json"
)

// awsEvents is the package whose types take a null for an object: AWS sends
// "authorizer": null and "requestContext": null where it has nothing to say,
// and encoding/json leaves the struct empty.
const awsEvents = "github.com/aws/aws-lambda-go/events"

// A shape is what a struct type expects of an object's members.
type shape struct {
	exact  map[string]reflect.Type // member name → type of its value
	folded map[string]bool         // folded names of the members above
}

// shapes remembers a pure function of a type; nothing depends on what is in it.
var shapes sync.Map // reflect.Type → *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{exact: map[string]reflect.Type{}, folded: map[string]bool{}}
	s.add(t, map[reflect.Type]bool{})
	actual, _ := shapes.LoadOrStore(t, s)
	return actual.(*shape)
}

// add collects the members of t, the outer ones first: an embedded struct's
// members are those of the struct that embeds it.
func (s *shape) add(t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	var embedded []reflect.Type
	for f := range fields(t) {
		name, tagged := memberName(f)
		if name == "" {
			continue
		}
		if f.Anonymous && !tagged {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				embedded = append(embedded, inner)
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		if _, ok := s.exact[name]; !ok {
			s.exact[name] = f.Type
			s.folded[fold(name)] = true
		}
	}
	for _, inner := range embedded {
		s.add(inner, seen)
	}
}

func fields(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// memberName is the JSON name of a field, "" when it has none.
func memberName(f reflect.StructField) (name string, tagged bool) {
	tag, ok := f.Tag.Lookup("json")
	if tag == "-" {
		return "", false
	}
	if ok {
		name, _, _ = strings.Cut(tag, ",")
	}
	if name == "" {
		return f.Name, false
	}
	return name, true
}

// fold maps the names that encoding/json does not tell apart to one: by simple
// case folding, in which "ſ" is an "s" and the Kelvin sign a "k".
func fold(name string) string {
	plain := true
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'a' <= c && c <= 'z' {
			plain = false
			break
		}
	}
	if plain {
		return name
	}
	return strings.Map(func(r rune) rune {
		for {
			next := unicode.SimpleFold(r)
			if next <= r { // the orbit is back at its smallest member
				return next
			}
			r = next
		}
	}, name)
}

var decoders = []reflect.Type{
	reflect.TypeFor[json.Unmarshaler](),
	reflect.TypeFor[v2.UnmarshalerFrom](),
	reflect.TypeFor[encoding.TextUnmarshaler](),
}

// opaque reports whether t decodes itself.
func opaque(t reflect.Type) bool {
	for _, d := range decoders {
		if t.Implements(d) || reflect.PointerTo(t).Implements(d) {
			return true
		}
	}
	return false
}
