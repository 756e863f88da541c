package structs

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
)

// places finds members in a value that was validated.
type places struct {
	root reflect.Value
	keys map[uintptr]keys // of the maps in it that have been searched
}

// keys are those of a map by their text, which is in a path as it is.
type keys struct {
	members map[string][]member
	lengths []int // of the texts, each once, the longest first
}

type member struct {
	name  string
	value reflect.Value
}

// pointerTo translates the validator's path to a field, Order.Items[0].Qty, to
// the JSON pointer of the member that it is decoded from. A path that leads
// nowhere gives the pointer as far as it goes.
func (p *places) pointerTo(path string) string {
	if p.root.Kind() == reflect.Struct {
		path = strings.TrimPrefix(path, p.root.Type().Name())
	}
	pointer, _ := p.walk(p.root, path, "")
	return pointer
}

// walk follows path from v. The keys of a map stand in it as they are, brackets
// and all, so it is tried with every key that fits.
func (p *places) walk(v reflect.Value, path, pointer string) (string, bool) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if path == "" {
		return pointer, true
	}
	switch v.Kind() {
	case reflect.Struct:
		return p.walkField(v, path, pointer)
	case reflect.Slice, reflect.Array:
		index, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
		i, err := strconv.Atoi(index)
		if !ok || err != nil || i < 0 || i >= v.Len() {
			return pointer, false
		}
		return p.walk(v.Index(i), rest, pointer+"/"+index)
	case reflect.Map:
		return p.walkKey(v, path, pointer)
	default:
		return pointer, false
	}
}

func (p *places) walkField(v reflect.Value, path, pointer string) (string, bool) {
	path = strings.TrimPrefix(path, ".")
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		end = len(path)
	}
	t := v.Type()
	for i := range t.NumField() {
		if f := t.Field(i); f.Name == path[:end] {
			if name := memberName(f); name != "" {
				pointer += "/" + violations.Escape(name)
			}
			return p.walk(v.Field(i), path[end:], pointer)
		}
	}
	return pointer, false
}

func (p *places) walkKey(v reflect.Value, path, pointer string) (string, bool) {
	keys := p.keysOf(v)
	// The longest first: the same answer every time, whatever the keys hold.
	for _, n := range keys.lengths {
		if len(path) < n+2 || path[0] != '[' || path[n+1] != ']' {
			continue
		}
		for _, m := range keys.members[path[1:n+1]] {
			if found, ok := p.walk(m.value, path[n+2:], pointer+"/"+violations.Escape(m.name)); ok {
				return found, true
			}
		}
	}
	return pointer, false
}

// keysOf reads the keys of a map, once: there can be as many places in it as
// there are keys.
func (p *places) keysOf(v reflect.Value) keys {
	if known, ok := p.keys[v.Pointer()]; ok {
		return known
	}
	read := keys{members: make(map[string][]member, v.Len())}
	for key, value := range v.Seq2() {
		text := fmt.Sprint(key)
		read.members[text] = append(read.members[text], member{keyName(key), value})
		read.lengths = append(read.lengths, len(text))
	}
	slices.Sort(read.lengths)
	read.lengths = slices.Compact(read.lengths)
	slices.Reverse(read.lengths)
	if p.keys == nil {
		p.keys = map[uintptr]keys{}
	}
	p.keys[v.Pointer()] = read
	return read
}

// memberName is the member that encoding/json decodes a field from, "" for one
// that is none of its own: its members are those of the object around it, or,
// with the tag "-", there is none.
func memberName(f reflect.StructField) string {
	tag := f.Tag.Get("json")
	if tag == "-" {
		return ""
	}
	name, _, _ := strings.Cut(tag, ",")
	if name != "" {
		return name
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if f.Anonymous && t.Kind() == reflect.Struct {
		return ""
	}
	return f.Name
}

// keyName is the member that a key of a map is decoded from.
func keyName(key reflect.Value) string {
	if key.Kind() == reflect.String {
		return key.String()
	}
	if key.CanInterface() {
		if m, ok := key.Interface().(encoding.TextMarshaler); ok {
			if text, err := m.MarshalText(); err == nil {
				return string(text)
			}
		}
	}
	return fmt.Sprint(key)
}
