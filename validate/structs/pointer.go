package structs

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
)

// pointerTo translates the validator's path to a field, Order.Items[0].Qty, to
// the JSON pointer of the member that the field is decoded from. A path that
// leads nowhere becomes the pointer to where it ends.
func pointerTo(root reflect.Value, path string) string {
	if root.Kind() == reflect.Struct {
		path = strings.TrimPrefix(path, root.Type().Name())
	}
	pointer, _ := walk(root, path, "")
	return pointer
}

func walk(v reflect.Value, path, pointer string) (string, bool) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if path == "" {
		return pointer, true
	}
	switch v.Kind() {
	case reflect.Struct:
		return walkField(v, strings.TrimPrefix(path, "."), pointer)
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

// walkKey tries every key that the path can begin with: the validator does not
// escape keys, and they may contain brackets.
func walkKey(v reflect.Value, path, pointer string) (string, bool) {
	type match struct {
		name, rest string
		value      reflect.Value
	}
	var matches []match
	for key, value := range v.Seq2() {
		if rest, ok := strings.CutPrefix(path, "["+fmt.Sprint(key)+"]"); ok {
			matches = append(matches, match{keyName(key), rest, value})
		}
	}
	slices.SortFunc(matches, func(a, b match) int { return cmp.Compare(a.name, b.name) })
	for _, m := range matches {
		if found, ok := walk(m.value, m.rest, pointer+"/"+violations.Escape(m.name)); ok {
			return found, true
		}
	}
	return pointer, false
}

// memberName returns the member that encoding/json decodes a field from. It is
// "" for a field with the tag "-", and for an embedded struct, whose members
// belong to the object around it.
func memberName(f reflect.StructField) string {
	tag := f.Tag.Get("json")
	if tag == "-" {
		return ""
	}
	if name, _, _ := strings.Cut(tag, ","); name != "" {
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

// keyName returns the member that a key of a map is decoded from.
func keyName(key reflect.Value) string {
	if key.Kind() != reflect.String && key.CanInterface() {
		if m, ok := key.Interface().(encoding.TextMarshaler); ok {
			if text, err := m.MarshalText(); err == nil {
				return string(text)
			}
		}
	}
	return fmt.Sprint(key)
}

// comparePaths orders paths with numbers in them by value.
func comparePaths(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	for i > 0 && isDigit(a[i-1]) {
		i--
	}
	a, b = a[i:], b[i:]
	return cmp.Or(cmp.Compare(digits(a), digits(b)), cmp.Compare(a, b))
}

// digits returns how many digits a text begins with.
func digits(text string) int {
	i := 0
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
