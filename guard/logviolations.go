package guard

import (
	"log/slog"
	"strconv"
	"strings"
)

// mostViolations bounds how many places of a refusal a record has.
const mostViolations = 10

// A loggedPlace is a place of the input that is wrong, as a record has it.
type loggedPlace struct {
	Pointer string `json:"pointer"`
	Keyword string `json:"keyword,omitempty"`
}

// appendViolations appends the first places of a refusal, and how many are not
// there.
func appendViolations(attrs []slog.Attr, violations []Violation) []slog.Attr {
	if len(violations) == 0 {
		return attrs
	}
	shown := make([]loggedPlace, min(len(violations), mostViolations))
	for i := range shown {
		shown[i] = loggedPlace{Pointer: shownPointer(violations[i].Pointer), Keyword: violations[i].Keyword}
	}
	attrs = append(attrs, slog.Any("violations", shown))
	if more := len(violations) - len(shown); more > 0 {
		attrs = append(attrs, slog.Int("violationsOmitted", more))
	}
	return attrs
}

// refusalOf is the code of an error that is the cause of another, with the first
// places that it names.
func refusalOf(e *Error) string {
	places := make([]string, min(len(e.Violations), mostViolations))
	for i := range places {
		places[i] = joined(shownPointer(e.Violations[i].Pointer), e.Violations[i].Keyword)
	}
	if len(places) == 0 {
		return e.Code
	}
	return e.Code + " (" + strings.Join(places, "; ") + ")"
}

// shownPointer is a JSON pointer in which "*" stands for each name that no field
// would have, but a caller's value might be: an address, a number, a sentence.
func shownPointer(pointer string) string {
	names := strings.Split(shortened(pointer), "/")
	for i, name := range names[1:] {
		if !isFieldName(name) {
			names[i+1] = "*"
		}
	}
	return strings.Join(names, "/")
}

// isFieldName reports whether a name is an index, or a short identifier.
func isFieldName(name string) bool {
	if _, err := strconv.ParseUint(name, 10, 32); err == nil && len(name) < 8 {
		return true
	}
	if name == "" || len(name) > 32 || '0' <= name[0] && name[0] <= '9' {
		return false
	}
	for _, c := range []byte(name) {
		if !isNameByte(c) {
			return false
		}
	}
	return true
}
