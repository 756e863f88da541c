// Package fieldlines combines the lines of HTTP header fields: what was sent in
// several lines, or with a name in several spellings, has one value, and every
// reader of an event sees the same one.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-5.3
package fieldlines

import (
	"slices"
	"strings"
)

// Line is a header line as an event has it.
type Line struct{ Name, Value string }

// Field is all lines of one name.
type Field struct {
	Name    string // in lower case
	Value   string
	Several bool // lines
}

// Combine gives each field once. Its lines are joined in the order of their
// spellings, and those of one spelling in the order in which they come: by a
// comma, and cookies by a semicolon, as a comma can be part of one (RFC 6265,
// section 4.2.1). A comma is put without a space, as a gateway does it.
func Combine(lines []Line) []Field {
	type spelled struct{ key, name, value string }
	all := make([]spelled, len(lines))
	for i, line := range lines {
		all[i] = spelled{Key(line.Name), line.Name, line.Value}
	}
	slices.SortStableFunc(all, func(a, b spelled) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	fields := make([]Field, 0, len(all))
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].key == all[0].key {
			n++
		}
		f := Field{Name: all[0].key, Value: all[0].value, Several: n > 1}
		if f.Several {
			values := make([]string, n)
			for i, line := range all[:n] {
				values[i] = line.value
			}
			f.Value = strings.Join(values, separator(f.Name))
		}
		fields, all = append(fields, f), all[n:]
	}
	return fields
}

// Map is what [Combine] gives, by name.
func Map(lines []Line) map[string]string {
	values := make(map[string]string, len(lines))
	for _, f := range Combine(lines) {
		values[f.Name] = f.Value
	}
	return values
}

// Lines are those of headers that have one value for each spelling.
func Lines(headers map[string]string) []Line {
	lines := make([]Line, 0, len(headers))
	for name, value := range headers {
		lines = append(lines, Line{name, value})
	}
	return lines
}

func separator(key string) string {
	if key == "cookie" {
		return "; "
	}
	return ","
}

// Key is what the spellings of a name have in common: the name in lower case.
// Names are ASCII (RFC 9110, section 5.1). What is not is another name, also
// where Unicode would fold it: the Kelvin sign is no k.
func Key(name string) string {
	for i := range len(name) {
		if lower(name[i]) != name[i] {
			return fold(name)
		}
	}
	return name
}

func fold(name string) string {
	key := []byte(name)
	for i, c := range key {
		key[i] = lower(c)
	}
	return string(key)
}

// Same reports whether two names are spellings of one.
func Same(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
