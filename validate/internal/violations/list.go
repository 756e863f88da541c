// Package violations lists the places at which an input breaks a rule.
package violations

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// List holds the first places that are wrong, each once.
type List struct {
	Max int // places

	list []guard.Violation
	more bool
}

// Add adds a place. It returns false if the list is full and does not have the
// place. The detail must not contain a value.
func (l *List) Add(pointer, keyword, detail string) bool {
	v := guard.Violation{Pointer: pointer, Keyword: keyword, Detail: detail}
	if slices.Contains(l.list, v) {
		return true
	}
	if len(l.list) == l.Max {
		l.more = true
		return false
	}
	if l.list == nil {
		l.list = make([]guard.Violation, 0, min(l.Max, 8))
	}
	l.list = append(l.list, v)
	return true
}

// Len returns how many places are listed.
func (l *List) Len() int { return len(l.list) }

// Err returns the error for an input with these places, the deepest first, and
// otherwise in the order of Add. It is a [*guard.Error] of kind Invalid, or nil if
// there are no places.
func (l *List) Err() error {
	if len(l.list) == 0 {
		return nil
	}
	slices.SortStableFunc(l.list, func(a, b guard.Violation) int {
		return strings.Count(b.Pointer, "/") - strings.Count(a.Pointer, "/")
	})
	for i := range l.list {
		l.list[i].Pointer = strictjson.ShortPointer(l.list[i].Pointer)
	}
	e := &guard.Error{Kind: guard.Invalid, Code: "validation_failed", Violations: l.list}
	switch {
	case l.more:
		e.Detail = fmt.Sprintf("More than %d places of the input break a rule. The first are listed.", len(l.list))
	case len(l.list) == 1:
		e.Detail = "One place of the input breaks a rule."
	default:
		e.Detail = strconv.Itoa(len(l.list)) + " places of the input break a rule."
	}
	return e
}
