package strictjson

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
)

// object plans for a struct. Among fields with one name it uses the same as
// encoding/json: the outermost, among these the tagged one, and none if there are
// several.
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

// try makes the decoder check a struct's fields and tags. It skips url.Userinfo,
// which has no exported field and is in each url.URL.
func (c *compiler) try(t reflect.Type) {
	if t == reflect.TypeFor[url.Userinfo]() {
		return
	}
	err := json.Unmarshal([]byte("{}"), reflect.New(t).Interface(), compatible(false, false))
	if bad := (*json.SemanticError)(nil); errors.As(err, &bad) {
		c.refuse(t, "", fmt.Sprint(bad.Err))
	}
}
