package strictjson

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
)

// CheckType reports why no text, or not every text that says so, can be decoded
// into a value of type t as encoding/json decodes it. The error names the type
// and the field. A type is refused if it has
//
//   - a channel, a function, a complex number or an interface with methods,
//   - a map whose key is neither a string, a whole number nor decodes text,
//   - two fields of one struct with the same name in JSON,
//   - a tag on an unexported field, a pointer to an embedded unexported struct,
//     or a struct without exported fields,
//   - a tag that encoding/json and the decoder here read in two ways, or the
//     option string where it has no meaning.
//
// A field with the tag json:"-" may be anything, and so may what decodes itself.
// The error is a [TypeError].
func CheckType(t reflect.Type) error { return rootOf(t).err }

// TypeError says why a type cannot be decoded. Its text is of the program alone.
type TypeError string

func (e TypeError) Error() string { return string(e) }

// LogValue is the text.
func (e TypeError) LogValue() slog.Value { return slog.StringValue(string(e)) }

type compiler struct {
	plans   map[reflect.Type]*plan
	numbers bool
	merging bool
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

// place plans for a value of type t, which stands in a field of owner.
func (c *compiler) place(t, owner reflect.Type, field string) place {
	p := place{}
	for t.Kind() == reflect.Pointer && !opaque(t) {
		if t.Elem() == t {
			c.refuse(owner, field, "the type is a pointer to itself")
			return p
		}
		t, p.pointer = t.Elem(), true
	}
	p.plan = c.plan(t, owner, field)
	return p
}

func (c *compiler) plan(t, owner reflect.Type, field string) *plan {
	if t == numberType {
		c.numbers = true
		return nil
	}
	if opaque(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return c.object(t)
	case reflect.Map:
		if k := t.Key(); !isKey(k) {
			c.refuse(owner, field, fmt.Sprintf("%s is no key of an object", k))
		} else if k == numberType {
			c.numbers = true
		} else if k.Kind() != reflect.String || reflect.PointerTo(k).Implements(textDecoder) {
			c.merging = true
		}
		return c.list(t, owner, field)
	case reflect.Slice, reflect.Array:
		return c.list(t, owner, field)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			c.refuse(owner, field, fmt.Sprintf("%s is an interface with methods", t))
		}
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		c.refuse(owner, field, fmt.Sprintf("%s has no form in JSON", t))
	}
	return nil
}

// list plans for a map, a slice or an array, by its elements alone.
func (c *compiler) list(t, owner reflect.Type, field string) *plan {
	if p, ok := c.plans[t]; ok {
		return p
	}
	p := &plan{}
	c.plans[t] = p
	if p.elem = c.place(t.Elem(), owner, field); p.elem.plan == nil {
		c.plans[t] = nil
	}
	return c.plans[t]
}

// isKey reports whether encoding/json makes a member's name a key of type t.
func isKey(t reflect.Type) bool {
	return t.Kind() == reflect.String || isInteger(t) || reflect.PointerTo(t).Implements(textDecoder)
}

func isInteger(t reflect.Type) bool {
	return reflect.Int <= t.Kind() && t.Kind() <= reflect.Uintptr
}

// object plans for a struct. Of fields with one name it finds the one that
// encoding/json does: the outermost, of these the tagged one, and none where
// there are several.
func (c *compiler) object(t reflect.Type) *plan {
	if p, ok := c.plans[t]; ok {
		return p
	}
	p := &plan{members: map[string]place{}, folded: map[string]bool{}, nullable: t.PkgPath() == awsEvents}
	c.plans[t] = p
	c.ask(t)
	decided := map[string]bool{}
	seen := map[reflect.Type]bool{}
	for level := []reflect.Type{t}; len(level) > 0; {
		var next []reflect.Type
		found := map[string][]member{}
		for _, s := range level {
			if !seen[s] {
				next = append(next, c.fields(s, found)...)
			}
		}
		for _, s := range level {
			seen[s] = true
		}
		for _, name := range slices.Sorted(maps.Keys(found)) {
			if f, ok := dominant(found[name]); ok && !decided[name] {
				p.members[name] = c.member(f)
				p.folded[string(appendFold(nil, []byte(name)))] = true
			}
			decided[name] = true
		}
		level = next
	}
	return p
}

// A member is a field that has a name in JSON.
type member struct {
	reflect.StructField
	owner  reflect.Type
	tagged bool
	quoted bool
}

// fields collects the members that are fields of t itself, and returns the
// structs that are embedded in it.
func (c *compiler) fields(t reflect.Type, found map[string][]member) (embedded []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _ := f.Tag.Lookup("json")
		if tag == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		m := member{StructField: f, owner: t, tagged: name != ""}
		c.checkTag(&m, name, options)
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
			if name == "" {
				name = f.Name
			}
			found[name] = append(found[name], m)
		}
	}
	return embedded
}

func dominant(fields []member) (member, bool) {
	if len(fields) == 1 {
		return fields[0], true
	}
	var best []member
	for _, f := range fields {
		if f.tagged {
			best = append(best, f)
		}
	}
	if len(best) == 1 {
		return best[0], true
	}
	return member{}, false
}

func (c *compiler) member(m member) place {
	p := c.place(m.Type, m.owner, m.Name)
	p.quoted = m.quoted
	return p
}

// checkTag refuses what the decoder reads in another way than encoding/json.
func (c *compiler) checkTag(m *member, name, options string) {
	if !isName(name) {
		c.refuse(m.owner, m.Name, fmt.Sprintf("encoding/json takes %q for no name", name))
	}
	for option := range strings.SplitSeq(options, ",") {
		switch {
		case option == "string":
			m.quoted = true
			if !isQuotable(m.Type) {
				c.refuse(m.owner, m.Name, "the option string is for strings, booleans and numbers")
			}
		case option == "embed", strings.HasPrefix(option, "case:"):
			c.refuse(m.owner, m.Name, fmt.Sprintf("encoding/json has no option %s", option))
		}
	}
}

// isName reports whether encoding/json uses a name, "" being none. It ignores
// one with other punctuation.
func isName(name string) bool {
	for _, r := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return true
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

// userinfo has no exported field and stands in each url.URL. Nobody sends one.
var userinfo = reflect.TypeFor[url.Userinfo]()

// ask lets the decoder itself judge a struct's fields and tags.
func (c *compiler) ask(t reflect.Type) {
	if t == userinfo {
		return
	}
	err := json.Unmarshal([]byte("{}"), reflect.New(t).Interface(), compatible(false, false))
	var bad *json.SemanticError
	if errors.As(err, &bad) {
		c.refuse(t, "", fmt.Sprint(bad.Err))
	}
}
