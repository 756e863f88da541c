package validate

import (
	"net/url"
	"strconv"
	"strings"
)

// unescape is the inverse of violations.Escape.
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
