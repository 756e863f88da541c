package strictjson

import (
	"encoding"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"

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

// TypeError reports a type that cannot be decoded. Its text is of the program
// alone.
type TypeError string

func (e TypeError) Error() string { return string(e) }

// LogValue is the text.
func (e TypeError) LogValue() slog.Value { return slog.StringValue(string(e)) }

// shape is what a Go type expects of a whole text.
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

// plan is what a struct, a map, a slice or an array expects.
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

// object plans for a struct. Of fields with one name it takes the one that
// encoding/json takes: the outermost, of these the tagged one, and none where
// there are several.
func (c *compiler) object(t reflect.Type) *plan {
	if p, ok := c.plans[t]; ok {
		return p
	}
	p := &plan{members: map[string]place{}, folded: map[string]bool{}, nullable: t.PkgPath() == awsEvents}
	c.plans[t] = p
	c.try(t)
	decided := map[string]bool{}
	visited := map[reflect.Type]bool{}
	for level := []reflect.Type{t}; len(level) > 0; {
		var embedded []reflect.Type
		chosen, several := map[string]member{}, map[string]bool{}
		for _, s := range level {
			if visited[s] {
				continue
			}
			fields, structs := c.fields(s)
			embedded = append(embedded, structs...)
			for _, f := range fields {
				other, again := chosen[f.name]
				switch {
				case !again, f.tagged && !other.tagged:
					chosen[f.name], several[f.name] = f, false
				case f.tagged == other.tagged:
					several[f.name] = true
				}
			}
		}
		for _, s := range level {
			visited[s] = true
		}
		for _, name := range slices.Sorted(maps.Keys(chosen)) {
			if f := chosen[name]; !decided[name] && !several[name] {
				at := c.place(f.Type, f.owner, f.Name)
				at.quoted = f.quoted
				p.members[name] = at
				p.folded[string(appendFold(nil, []byte(name)))] = true
			}
			decided[name] = true
		}
		level = embedded
	}
	return p
}

// member is a field that has a name in JSON.
type member struct {
	reflect.StructField
	owner          reflect.Type
	name           string
	tagged, quoted bool
}

// fields returns the members that are fields of t itself, and the structs that
// are embedded in it.
func (c *compiler) fields(t reflect.Type) (members []member, embedded []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if tag == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		m := member{StructField: f, owner: t, name: name, tagged: name != "", quoted: c.checkTag(t, f, name, options)}
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Anonymous && !m.tagged && inner.Kind() == reflect.Struct:
			if !f.IsExported() && f.Type.Kind() == reflect.Pointer {
				c.refuse(t, f.Name, "a pointer to an unexported struct cannot be set")
			}
			embedded = append(embedded, inner)
		case f.IsExported():
			if !m.tagged {
				m.name = f.Name
			}
			members = append(members, m)
		}
	}
	return members, embedded
}

// checkTag refuses a tag that the decoder reads in another way than
// encoding/json, and reports whether it has the option string.
func (c *compiler) checkTag(owner reflect.Type, f reflect.StructField, name, options string) (quoted bool) {
	if strings.ContainsFunc(name, isIgnored) {
		c.refuse(owner, f.Name, fmt.Sprintf("encoding/json takes %q for no name", name))
	}
	for option := range strings.SplitSeq(options, ",") {
		switch {
		case option == "string":
			quoted = true
			if !isQuotable(f.Type) {
				c.refuse(owner, f.Name, "the option string is for strings, booleans and numbers")
			}
		case option == "embed", strings.HasPrefix(option, "case:"):
			c.refuse(owner, f.Name, fmt.Sprintf("encoding/json has no option %s", option))
		}
	}
	return quoted
}

// isIgnored reports whether encoding/json ignores a name that has the character.
func isIgnored(r rune) bool {
	return !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

func isQuotable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64:
		return !opaque(t)
	default:
		return isInteger(t) && !opaque(t)
	}
}

func isInteger(t reflect.Type) bool { return reflect.Int <= t.Kind() && t.Kind() <= reflect.Uintptr }

// try has the decoder itself judge a struct's fields and tags. url.Userinfo has
// no exported field and stands in each url.URL; nobody sends one.
func (c *compiler) try(t reflect.Type) {
	if t == reflect.TypeFor[url.Userinfo]() {
		return
	}
	err := json.Unmarshal([]byte("{}"), reflect.New(t).Interface(), compatible(false, false))
	if bad := (*json.SemanticError)(nil); errors.As(err, &bad) {
		c.refuse(t, "", fmt.Sprint(bad.Err))
	}
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
