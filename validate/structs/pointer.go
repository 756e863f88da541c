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

// pointerTo translates the validator's path to a field, Order.Items[0].Qty, to
// the JSON pointer of the member that it is decoded from. v is the value that
// was validated. A path that leads nowhere gives the pointer as far as it goes.
func pointerTo(v reflect.Value, path string) string {
	if v.Kind() == reflect.Struct {
		path = strings.TrimPrefix(path, v.Type().Name())
	}
	pointer, _ := walk(v, path, "")
	return pointer
}

// walk follows path from v. The keys of a map stand in it as they are, brackets
// and all, so it is tried with every key that there is.
func walk(v reflect.Value, path, pointer string) (string, bool) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if path == "" {
		return pointer, true
	}
	switch v.Kind() {
	case reflect.Struct:
		return walkField(v, path, pointer)
	case reflect.Slice, reflect.Array:
		index, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
		i, err := strconv.Atoi(index)
		if !ok || err != nil || i < 0 || i >= v.Len() {
			return pointer, false
		}
		return walk(v.Index(i), rest, pointer+"/"+index)
	case reflect.Map:
		return walkKey(v, path, pointer)
	default:
		return pointer, false
	}
}

func walkField(v reflect.Value, path, pointer string) (string, bool) {
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
			return walk(v.Field(i), path[end:], pointer)
		}
	}
	return pointer, false
}

func walkKey(v reflect.Value, path, pointer string) (string, bool) {
	type member struct {
		text, name string
		value      reflect.Value
	}
	var candidates []member
	for key, value := range v.Seq2() {
		if text := fmt.Sprint(key); strings.HasPrefix(path, "["+text+"]") {
			candidates = append(candidates, member{text, keyName(key), value})
		}
	}
	// The longest first: the same answer every time, whatever the keys hold.
	slices.SortFunc(candidates, func(a, b member) int { return strings.Compare(b.text, a.text) })
	for _, c := range candidates {
		if found, ok := walk(c.value, path[len(c.text)+2:], pointer+"/"+violations.Escape(c.name)); ok {
			return found, true
		}
	}
	return pointer, false
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
