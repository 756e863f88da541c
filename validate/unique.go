package validate

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"math/big"
	"slices"
)

// checksOfUnique foretells what uniqueItems costs, in checks: the library
// compares each of up to 20 elements with each other, and of more those whose
// hashes are equal. As 1 and -1 have the same hash, 60 kB of [1,-1,1], [1,1,-1]
// and so on take it seconds. Here the same comparisons are made, at a fraction
// of their cost and up to the limit.
func checksOfUnique(items []any, limit uint64) uint64 {
	c := comparer{left: times(limit, comparedPerCheck)}
	most := c.left
	if len(items) <= 20 {
		c.all(items)
	} else {
		c.hashed(items)
	}
	if c.over {
		return limit + 1
	}
	return (most - c.left) / comparedPerCheck
}

type comparer struct {
	left uint64
	over bool
}

// spend takes off the cost of a value, and reports whether there was as much
// left: a number costs the library a fraction.
func (c *comparer) spend(v any) bool {
	cost := uint64(1)
	if _, ok := v.(json.Number); ok {
		cost = comparedPerCheck / equalsPerCheck
	}
	if cost > c.left {
		c.over = true
		return false
	}
	c.left -= cost
	return true
}

func (c *comparer) all(items []any) {
	for i := range items {
		for j := range i {
			if c.over || c.same(items[i], items[j]) {
				return
			}
		}
	}
}

func (c *comparer) hashed(items []any) {
	var h maphash.Hash
	groups := make(map[uint64][]any, len(items))
	for _, item := range items {
		h.Reset()
		c.hash(&h, item)
		sum := h.Sum64()
		for _, other := range groups[sum] {
			if c.over || c.same(item, other) {
				return
			}
		}
		groups[sum] = append(groups[sum], item)
	}
}

// same compares as the library does, but numbers by their text.
func (c *comparer) same(a, b any) bool {
	if !c.spend(a) {
		return false
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, inner := range a {
			other, ok := b[name]
			if !ok || !c.same(inner, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !c.same(a[i], b[i]) {
				return false
			}
		}
		return true
	default:
		return a == b
	}
}

// hash feeds h with what the library's hash does not tell apart either.
func (c *comparer) hash(h *maphash.Hash, v any) {
	if !c.spend(v) {
		return
	}
	switch v := v.(type) {
	case nil:
		h.WriteByte(0)
	case bool:
		h.WriteByte(1)
		if v {
			h.WriteByte(1)
		} else {
			h.WriteByte(0)
		}
	case string:
		h.WriteByte(3)
		h.WriteString(v)
	case []any:
		h.WriteByte(4)
		for _, item := range v {
			c.hash(h, item)
		}
	case map[string]any:
		h.WriteByte(5)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			h.WriteByte(3)
			h.WriteString(name)
			c.hash(h, v[name])
		}
	default:
		h.WriteByte(2)
		if n, ok := new(big.Rat).SetString(fmt.Sprint(v)); ok {
			h.Write(n.Num().Bytes())
			h.Write(n.Denom().Bytes())
		}
	}
}
