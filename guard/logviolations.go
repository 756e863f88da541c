package guard

import (
	"log/slog"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/outcome"
)

// mostViolations bounds how many violations a record has.
const mostViolations = 10

// loggedPlace is a violation as a record has it.
type loggedPlace struct {
	Pointer string `json:"pointer"`
	Keyword string `json:"keyword,omitempty"`
}

// appendViolations appends the first violations, and how many are left out.
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

// refusalOf returns the code of an error that is the cause of another, with its
// first violations.
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

// shownPointer returns a JSON pointer with "*" for each name that may be a caller's
// value, such as an address, a number or a sentence.
func shownPointer(pointer string) string {
	names := strings.Split(outcome.Shortened(pointer), "/")
	for i, name := range names[1:] {
		if !isFieldName(name) {
			names[i+1] = "*"
		}
	}
	return strings.Join(names, "/")
}

// isFieldName reports whether a name is an index, or a short identifier.
func isFieldName(name string) bool {
	if strings.Trim(name, "0123456789") == "" {
		return name != "" && len(name) < 8
	}
	startsLikeANumber := '0' <= name[0] && name[0] <= '9'
	other := func(r rune) bool { return !isNameRune(r) }
	return len(name) <= 32 && !startsLikeANumber && strings.IndexFunc(name, other) < 0
}
