package strictjson

import (
	"encoding"
	stdjson "encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"
)

// CheckType reports why no text, or not every text, can be decoded into a value
// of type t as encoding/json decodes it. The error is a [TypeError] that names
// the type and the field. A type is refused if it has
//
//   - a channel, a function, a complex number or an interface with methods,
//   - a map whose key is neither a string, a whole number nor decodes text,
//   - two fields of one struct with the same name in JSON,
//   - a tag on an unexported field, a pointer to an embedded unexported struct,
//     or a struct without exported fields,
//   - a tag that encoding/json and the decoder here read in two ways, or the
//     option string where it has no meaning.
//
// A field with the tag json:"-" may be anything, and so may a type that decodes
// itself.
func CheckType(t reflect.Type) error { return shapeOf(t).err }

// TypeError reports a type that cannot be decoded. Its text has no input.
type TypeError string

func (e TypeError) Error() string { return string(e) }

// LogValue is the text.
func (e TypeError) LogValue() slog.Value { return slog.StringValue(string(e)) }

// shape is what a Go type requires of a whole text.
type shape struct {
	place
	nullable bool         // the text may be null
	options  json.Options // to decode it with; joining them anew takes as long as a short text
	err      error
}

// place is where a value stands in its parent.
type place struct {
	plan    *plan // nil takes any value
	pointer bool  // it points to what the plan is for, and takes null
	quoted  bool  // a string holds the value
}

func (p place) isStruct() bool { return p.plan != nil && p.plan.members != nil }

// plan is what a struct, a map, a slice or an array requires.
type plan struct {
	members  map[string]place // of a struct, by name
	folded   map[string]bool  // the names, each folded
	elem     place            // of all others
	nullable bool             // null leaves the struct empty
}

// awsEvents is the package whose structs take null: AWS sends
// "requestContext": null where it knows nothing, and encoding/json leaves the
// struct empty.
const awsEvents = "github.com/aws/aws-lambda-go/events"

// shapes remembers a pure function of a type.
var shapes sync.Map // reflect.Type → *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	c := compiler{plans: map[reflect.Type]*plan{}}
	s := &shape{place: c.place(t, t, "")}
	base := t
	for base.Kind() == reflect.Pointer && !opaque(base) && c.err == nil {
		base = base.Elem()
	}
	isObject := !opaque(base) && (base.Kind() == reflect.Struct || base.Kind() == reflect.Map)
	s.nullable, s.err, s.options = s.pointer || !isObject, c.err, compatible(c.numbers, c.keys)
	actual, _ := shapes.LoadOrStore(t, s)
	return actual.(*shape)
}

// compiler makes the plans of a type and of all types in it.
type compiler struct {
	plans   map[reflect.Type]*plan
	numbers bool  // a json.Number is among them
	keys    bool  // a map has keys in which two names may be one
	err     error // the first one
}

func (c *compiler) refuse(owner reflect.Type, field, reason string) {
	if c.err != nil {
		return
	}
	if field != "" {
		field = "." + field
	}
	c.err = TypeError(fmt.Sprintf("cannot decode JSON into %s%s: %s", owner, field, reason))
}

// place plans for a value of type t in a field of owner.
func (c *compiler) place(t, owner reflect.Type, field string) (p place) {
	for t.Kind() == reflect.Pointer && !opaque(t) {
		if t.Elem() == t {
			c.refuse(owner, field, "the type is a pointer to itself")
			return p
		}
		t, p.pointer = t.Elem(), true
	}
	switch {
	case t == numberType:
		c.numbers = true
		return p
	case opaque(t):
		return p
	}
	switch t.Kind() {
	case reflect.Struct:
		p.plan = c.object(t)
	case reflect.Map:
		c.key(t.Key(), owner, field)
		p.plan = c.list(t, owner, field)
	case reflect.Slice, reflect.Array:
		p.plan = c.list(t, owner, field)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			c.refuse(owner, field, fmt.Sprintf("%s is an interface with methods", t))
		}
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		c.refuse(owner, field, fmt.Sprintf("%s has no form in JSON", t))
	}
	return p
}

// key judges the type of a map's keys.
func (c *compiler) key(t, owner reflect.Type, field string) {
	decodesText := reflect.PointerTo(t).Implements(textDecoder)
	switch {
	case t == numberType:
		c.numbers = true
	case decodesText || isInteger(t):
		c.keys = true
	case t.Kind() != reflect.String:
		c.refuse(owner, field, fmt.Sprintf("%s is no key of an object", t))
	}
}

// list plans for a map, a slice or an array, by its elements alone.
func (c *compiler) list(t, owner reflect.Type, field string) *plan {
	p, ok := c.plans[t]
	if !ok {
		p = &plan{}
		c.plans[t] = p
		p.elem = c.place(t.Elem(), owner, field)
	}
	return p
}

func isInteger(t reflect.Type) bool { return reflect.Int <= t.Kind() && t.Kind() <= reflect.Uintptr }

var (
	numberType   = reflect.TypeFor[stdjson.Number]()
	textDecoder  = reflect.TypeFor[encoding.TextUnmarshaler]()
	selfDecoders = []reflect.Type{textDecoder, reflect.TypeFor[stdjson.Unmarshaler](), reflect.TypeFor[json.UnmarshalerFrom]()}
)

// opaque reports whether t decodes itself.
func opaque(t reflect.Type) bool {
	for _, d := range selfDecoders {
		if t.Implements(d) || reflect.PointerTo(t).Implements(d) {
			return true
		}
	}
	return false
}
