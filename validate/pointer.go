package validate

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
)

// escape makes a token of a JSON pointer of a member's name (RFC 6901).
func escape(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func unescape(token string) string {
	if !strings.Contains(token, "~") {
		return token
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// plainPointer takes off the percent-encoding that the library adds to a
// pointer. A slash in it is never encoded.
func plainPointer(location string) string {
	if !strings.Contains(location, "%") {
		return location
	}
	plain, err := url.PathUnescape(location)
	if err != nil {
		return location
	}
	return plain
}

// lookup gives the value at a pointer.
func lookup(v any, pointer string) (any, bool) {
	for pointer != "" {
		token := pointer[1:]
		pointer = ""
		if i := strings.IndexByte(token, '/'); i >= 0 {
			token, pointer = token[:i], token[i:]
		}
		switch container := v.(type) {
		case map[string]any:
			inner, ok := container[unescape(token)]
			if !ok {
				return nil, false
			}
			v = inner
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(container) {
				return nil, false
			}
			v = container[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// comparePointers orders places: the deeper first, then as they are written,
// an index by its value.
func comparePointers(a, b string) int {
	if c := cmp.Compare(strings.Count(b, "/"), strings.Count(a, "/")); c != 0 {
		return c
	}
	for a != "" && b != "" {
		var x, y string
		x, a = cutToken(a)
		y, b = cutToken(b)
		if x == y {
			continue
		}
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX == nil && errY == nil && i != j {
			return cmp.Compare(i, j)
		}
		return cmp.Compare(x, y)
	}
	return 0
}

func cutToken(pointer string) (token, rest string) {
	token = pointer[1:]
	if i := strings.IndexByte(token, '/'); i >= 0 {
		return token[:i], token[i:]
	}
	return token, ""
}

// maxPointer bounds what a caller's member names can make of an answer.
const maxPointer = 256

// shorten cuts a pointer that is too long to be shown, at a whole character.
func shorten(pointer string) string {
	if len(pointer) <= maxPointer {
		return pointer
	}
	return strings.ToValidUTF8(pointer[:maxPointer], "") + "…"
}
