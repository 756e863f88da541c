package validate

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/lambdarmor/lambdarmor/guard"
)

// places collects what is wrong: the first max in the order of the answer, and
// the number of all, each counted once.
type places struct {
	max  int
	list []guard.Violation // sorted, whole pointers
	seen map[uint64]struct{}
	seed maphash.Seed
}

func (p *places) add(pointer, keyword, detail string) {
	v := guard.Violation{Pointer: pointer, Keyword: keyword, Detail: detail}
	if p.seen == nil {
		p.seen, p.seed = map[uint64]struct{}{}, maphash.MakeSeed()
	}
	// The order of arrival is that of a map: to count the same every time, what
	// is not in the list has to be remembered too.
	sum := maphash.Comparable(p.seed, v)
	if _, ok := p.seen[sum]; ok {
		return
	}
	p.seen[sum] = struct{}{}
	i, _ := slices.BinarySearchFunc(p.list, v, compareViolations)
	if i >= p.max {
		return
	}
	if len(p.list) == p.max {
		p.list = p.list[:p.max-1]
	}
	p.list = slices.Insert(p.list, i, v)
}

func compareViolations(a, b guard.Violation) int {
	return cmp.Or(comparePointers(a.Pointer, b.Pointer), cmp.Compare(a.Keyword, b.Keyword), cmp.Compare(a.Detail, b.Detail))
}

// refusal is the error of an instance with these places, nil when there are none.
func (p *places) refusal() error {
	total := len(p.seen)
	if total == 0 {
		return nil
	}
	for i := range p.list {
		p.list[i].Pointer = shorten(p.list[i].Pointer)
	}
	e := &guard.Error{Kind: guard.Invalid, Code: "validation_failed", Violations: p.list}
	switch {
	case total == 1:
		e.Detail = "One place of the input breaks a rule."
	case total == len(p.list):
		e.Detail = fmt.Sprintf("%d places of the input break a rule.", total)
	default:
		e.Detail = fmt.Sprintf("%d places of the input break a rule; these are %d of them, and %d are left out.", total, len(p.list), total-len(p.list))
	}
	return e
}
