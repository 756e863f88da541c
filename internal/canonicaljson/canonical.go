package canonicaljson

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// maxDepth bounds how deep a hostile text can make this package recurse.
const maxDepth = 1000

// ErrInvalid is what the error for a refused text matches.
var ErrInvalid = errors.New("canonicaljson: not a JSON text with one meaning")

// Append appends the canonical form of the one value in src to dst. On an
// error what it returns is dst.
func Append(dst, src []byte) ([]byte, error) {
	var room [16]member // enough for most
	c := Canonicalizer{members: room[:0]}
	return c.Append(dst, src)
}

// Canonicalizer is for many texts, one after the other: it keeps the memory
// that it needs beside the result. The zero value is ready.
//
// Its methods read a text once and write behind it. They report whether what
// they read was valid; pos is then behind it, and else where it was not.
type Canonicalizer struct {
	src     []byte
	pos     int
	out     []byte
	members []member // of all objects that are open, outer ones first
}

// Append is the function [Append].
func (c *Canonicalizer) Append(dst, src []byte) ([]byte, error) {
	c.src, c.pos, c.out, c.members = src, 0, dst, c.members[:0]
	c.space()
	ok := c.value(0)
	if c.space(); !ok || c.pos < len(src) {
		c.src, c.out = nil, nil
		return dst, fmt.Errorf("%w (at byte %d)", ErrInvalid, c.pos)
	}
	out := c.out
	c.src, c.out = nil, nil
	clear(c.members[:cap(c.members)]) // the names are the caller's
	return out, nil
}

// member is one of an object: its decoded name and where it stands in out.
type member struct {
	name       []byte
	start, end int
}

func (c *Canonicalizer) space() {
	for c.pos < len(c.src) {
		switch c.src[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// next reports whether the next byte is b, and then steps over it.
func (c *Canonicalizer) next(b byte) bool {
	if c.pos < len(c.src) && c.src[c.pos] == b {
		c.pos++
		return true
	}
	return false
}

func (c *Canonicalizer) value(depth int) bool {
	if c.pos >= len(c.src) {
		return false
	}
	switch b := c.src[c.pos]; b {
	case '{':
		return depth < maxDepth && c.object(depth)
	case '[':
		return depth < maxDepth && c.array(depth)
	case '"':
		_, ok := c.text()
		return ok
	case 't':
		return c.literal("true")
	case 'f':
		return c.literal("false")
	case 'n':
		return c.literal("null")
	default:
		return c.number()
	}
}

func (c *Canonicalizer) literal(word string) bool {
	if !bytes.HasPrefix(c.src[c.pos:], []byte(word)) {
		return false
	}
	c.pos += len(word)
	c.out = append(c.out, word...)
	return true
}

func (c *Canonicalizer) array(depth int) bool {
	c.pos++
	c.out = append(c.out, '[')
	c.space()
	if c.next(']') {
		c.out = append(c.out, ']')
		return true
	}
	for {
		c.space()
		if !c.value(depth + 1) {
			return false
		}
		c.space()
		switch {
		case c.next(','):
			c.out = append(c.out, ',')
		case c.next(']'):
			c.out = append(c.out, ']')
			return true
		default:
			return false
		}
	}
}

func (c *Canonicalizer) object(depth int) bool {
	c.pos++
	c.out = append(c.out, '{')
	c.space()
	if c.next('}') {
		c.out = append(c.out, '}')
		return true
	}
	first, sorted := len(c.members), true
	for {
		c.space()
		start := len(c.out)
		name, ok := c.name()
		if !ok {
			return false
		}
		if c.space(); !c.next(':') {
			return false
		}
		c.out = append(c.out, ':')
		c.space()
		if !c.value(depth + 1) {
			return false
		}
		if last := len(c.members); last > first && compareNames(c.members[last-1].name, name) >= 0 {
			sorted = false
		}
		c.members = append(c.members, member{name, start, len(c.out)})
		c.space()
		if c.next(',') {
			c.out = append(c.out, ',')
			continue
		}
		if !c.next('}') || !sorted && !c.sort(c.members[first:]) {
			return false
		}
		c.members = c.members[:first]
		c.out = append(c.out, '}')
		return true
	}
}

func (c *Canonicalizer) name() (name []byte, ok bool) {
	if c.pos >= len(c.src) || c.src[c.pos] != '"' {
		return nil, false
	}
	return c.text()
}

// sort rewrites the members of the object at the end of out in the order of
// their names, and reports whether no two names are equal.
func (c *Canonicalizer) sort(members []member) bool {
	start, end := members[0].start, len(c.out)
	slices.SortFunc(members, func(a, b member) int { return compareNames(a.name, b.name) })
	for i, m := range members { // behind what is there, then over it
		if i > 0 {
			if bytes.Equal(members[i-1].name, m.name) {
				return false
			}
			c.out = append(c.out, ',')
		}
		c.out = append(c.out, c.out[m.start:m.end]...)
	}
	copy(c.out[start:], c.out[end:])
	c.out = c.out[:end]
	return true
}

// compareNames orders UTF-8 texts by their UTF-16 code units. That is the order
// of their bytes but for one thing: characters beyond U+FFFF, which are
// surrogate pairs there, come before U+E000 to U+FFFF.
func compareNames(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if x, y := a[i], b[i]; x != y {
			if x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0) {
				x, y = y, x
			}
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}
