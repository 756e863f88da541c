package strictjson

import (
	"encoding"
	stdjson "encoding/json"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// awsEvents is the package whose types take a null for an object: AWS sends
// "authorizer": null and "requestContext": null where it has nothing to say,
// and encoding/json leaves the struct empty.
const awsEvents = "github.com/aws/aws-lambda-go/events"

// A plan is what a Go type expects of a value, as far as the decoder has no
// option for it. A nil plan takes whatever the decoder takes.
type plan struct {
	members  map[string]place // of a struct, by name
	folded   map[string]bool  // the folded names of these members
	elem     place            // of a slice, an array or a map
	nullable bool             // null leaves a struct empty
}

// A place is where a value stands in its parent.
type place struct {
	plan    *plan
	pointer bool // to what the plan is for: it takes null
	quoted  bool // a string holds the value
}

// root is the plan of a whole text.
type root struct {
	place
	nullable bool // null may be the whole text
	merging  bool // two names may be one key of a map
	err      error

	// What it is decoded with; strict refuses unknown members. Options that are
	// joined again for each text cost as much as a short one.
	lenient, strict json.Options
}

// roots remembers a pure function of a type; nothing depends on what is in it.
var roots sync.Map // reflect.Type → *root

func rootOf(t reflect.Type) *root {
	if r, ok := roots.Load(t); ok {
		return r.(*root)
	}
	c := compiler{plans: map[reflect.Type]*plan{}}
	r := &root{place: c.place(t, t, "")}
	base := t
	for base.Kind() == reflect.Pointer && !opaque(base) && c.err == nil {
		base = base.Elem()
	}
	object := !opaque(base) && (base.Kind() == reflect.Struct || base.Kind() == reflect.Map)
	r.nullable, r.merging, r.err = r.pointer || !object, c.merging, c.err
	r.lenient, r.strict = compatible(c.numbers, false), compatible(c.numbers, true)
	actual, _ := roots.LoadOrStore(t, r)
	return actual.(*root)
}

// isVariant reports whether the last name of a pointer differs in case alone from
// one that is known there.
func (r *root) isVariant(p jsontext.Pointer) bool {
	at := r.plan
	for name := range p.Parent().Tokens() {
		switch {
		case at == nil:
			return false
		case at.members != nil:
			at = at.members[name].plan
		default:
			at = at.elem.plan
		}
	}
	return at != nil && at.isVariant([]byte(p.LastToken()))
}

// isVariant reports whether an unknown name differs in case alone from a known
// one.
func (p *plan) isVariant(name []byte) bool {
	var room [64]byte
	return p.folded[string(appendFold(room[:0], name))]
}

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
