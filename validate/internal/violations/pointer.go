package violations

import (
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

// AppendToken appends to a pointer the token of an index, or of a name where
// the index is negative.
func AppendToken(pointer []byte, name string, index int) []byte {
	pointer = append(pointer, '/')
	if index >= 0 {
		return strconv.AppendInt(pointer, int64(index), 10)
	}
	return append(pointer, Escape(name)...)
}
