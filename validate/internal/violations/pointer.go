package violations

import (
	"cmp"
	"strconv"
	"strings"
)

// Escape makes a token of a JSON pointer of a member's name (RFC 6901).
func Escape(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// comparePointers orders places: the deeper first, then as they are written,
// an index by its value and before a name.
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
		switch {
		case errX == nil && errY == nil:
			return cmp.Or(cmp.Compare(i, j), cmp.Compare(x, y))
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		default:
			return cmp.Compare(x, y)
		}
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
