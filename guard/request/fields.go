package request

import (
	"cmp"
	"slices"
	"strings"
)

// Field is a header: all lines that were sent of one name.
type Field struct {
	Name  string // in lower case
	Value string
}

// line is a header line as an event has it.
type line struct {
	name, value string
	lower       string // the name, for combine
}

// combine returns each header once (RFC 9110, section 5.3). Lines are joined by a
// comma without a space, as a gateway does it. Cookies are joined by a semicolon,
// as a comma can be part of one (RFC 6265, section 4.2.1). Lines are sorted by
// spelling; lines of one spelling keep their order.
func combine(lines []line) []Field {
	for i := range lines {
		lines[i].lower = lower(lines[i].name)
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		return cmp.Or(strings.Compare(a.lower, b.lower), strings.Compare(a.name, b.name))
	})
	fields := make([]Field, 0, len(lines))
	var values []string
	for len(lines) > 0 {
		f := Field{Name: lines[0].lower}
		for values = values[:0]; len(lines) > 0 && lines[0].lower == f.Name; lines = lines[1:] {
			values = append(values, lines[0].value)
		}
		separator := ","
		if f.Name == "cookie" {
			separator = "; "
		}
		f.Value = strings.Join(values, separator)
		fields = append(fields, f)
	}
	return fields
}

// lower returns a name in lower case. Names are ASCII (RFC 9110, section 5.1). A
// letter that only Unicode folds makes another name: the Kelvin sign is no k.
func lower(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, name)
}

// sameName reports whether two names are spellings of one.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}
