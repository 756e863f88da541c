// Package violations lists the places at which an input breaks a rule.
package violations

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// List collects what is wrong: the first Max in the order of the answer, and
// the number of all, each counted once.
type List struct {
	Max int

	list []guard.Violation // sorted, whole pointers
	seen map[uint64]struct{}
	seed maphash.Seed
}

// Add notes a place. The detail must not repeat a value.
func (l *List) Add(pointer, keyword, detail string) {
	v := guard.Violation{Pointer: pointer, Keyword: keyword, Detail: detail}
	if l.seen == nil {
		l.seen, l.seed = map[uint64]struct{}{}, maphash.MakeSeed()
	}
	// The order of arrival is that of a map: to count the same every time, what
	// is not in the list has to be remembered too.
	sum := maphash.Comparable(l.seed, v)
	if _, ok := l.seen[sum]; ok {
		return
	}
	l.seen[sum] = struct{}{}
	i, _ := slices.BinarySearchFunc(l.list, v, compareViolations)
	if i >= l.Max {
		return
	}
	if len(l.list) == l.Max {
		l.list = l.list[:l.Max-1]
	}
	l.list = slices.Insert(l.list, i, v)
}

func compareViolations(a, b guard.Violation) int {
	return cmp.Or(comparePointers(a.Pointer, b.Pointer), cmp.Compare(a.Keyword, b.Keyword), cmp.Compare(a.Detail, b.Detail))
}

// Err is the error of an input with these places, a [*guard.Error] of kind
// Invalid; nil when there are none.
func (l *List) Err() error {
	total := len(l.seen)
	if total == 0 {
		return nil
	}
	for i := range l.list {
		l.list[i].Pointer = strictjson.ShortPointer(l.list[i].Pointer)
	}
	e := &guard.Error{Kind: guard.Invalid, Code: "validation_failed", Violations: l.list}
	switch {
	case total == 1:
		e.Detail = "One place of the input breaks a rule."
	case total == len(l.list):
		e.Detail = fmt.Sprintf("%d places of the input break a rule.", total)
	default:
		e.Detail = fmt.Sprintf("%d places of the input break a rule; these are %d of them, and %d are left out.", total, len(l.list), total-len(l.list))
	}
	return e
}
