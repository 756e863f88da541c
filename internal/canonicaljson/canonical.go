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
	c := canonicalizer{src: src, out: dst}
	c.space()
	ok := c.value(0)
	c.space()
	c.take()
	if !ok || c.pos < len(src) {
		return dst, fmt.Errorf("%w (at byte %d)", ErrInvalid, c.pos)
	}
	return c.out, nil
}

// canonicalizer is the state of one [Append].
//
// Its methods read a text once. What stands there as it is to be written is
// taken over in as few pieces as can be: out and src[done:pos] together are the
// canonical form of what has been read. They report whether what they read was
// valid; pos is then behind it, and else where it was not.
type canonicalizer struct {
	src       []byte
	pos, done int
	out       []byte
}

// take takes over what has been read.
func (c *canonicalizer) take() {
	c.out = append(c.out, c.src[c.done:c.pos]...)
	c.done = c.pos
}

// end is how long out will be with what has been read.
func (c *canonicalizer) end() int { return len(c.out) + c.pos - c.done }

// space leaves out what space there is.
func (c *canonicalizer) space() {
	if c.pos >= len(c.src) || c.src[c.pos] > ' ' {
		return
	}
	c.take()
	for c.pos < len(c.src) && isSpace(c.src[c.pos]) {
		c.pos++
	}
	c.done = c.pos
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// next reports whether the next byte is b, and then steps over it.
func (c *canonicalizer) next(b byte) bool {
	if c.pos < len(c.src) && c.src[c.pos] == b {
		c.pos++
		return true
	}
	return false
}

func (c *canonicalizer) value(depth int) bool {
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

func (c *canonicalizer) literal(word string) bool {
	if !bytes.HasPrefix(c.src[c.pos:], []byte(word)) {
		return false
	}
	c.pos += len(word)
	return true
}

func (c *canonicalizer) array(depth int) bool {
	c.pos++
	if c.space(); c.next(']') {
		return true
	}
	for {
		c.space()
		if !c.value(depth + 1) {
			return false
		}
		if c.space(); c.next(',') {
			continue
		}
		return c.next(']')
	}
}

// member is one of an object: its decoded name and where it stands in out.
type member struct {
	name       []byte
	start, end int
}

func (c *canonicalizer) object(depth int) bool {
	c.pos++
	if c.space(); c.next('}') {
		return true
	}
	var room [16]member // enough for most
	members, sorted := room[:0], true
	for {
		c.space()
		start := c.end()
		name, ok := c.name()
		if !ok {
			return false
		}
		if c.space(); !c.next(':') {
			return false
		}
		c.space()
		if !c.value(depth + 1) {
			return false
		}
		if last := len(members) - 1; last >= 0 && compareNames(members[last].name, name) >= 0 {
			sorted = false
		}
		// Not a literal: one of this size is made elsewhere and then copied.
		members = append(members, member{})
		m := &members[len(members)-1]
		m.name, m.start, m.end = name, start, c.end()
		if c.space(); c.next(',') {
			continue
		}
		if !sorted && !c.sort(members) {
			return false
		}
		return c.next('}')
	}
}

func (c *canonicalizer) name() (name []byte, ok bool) {
	if c.pos >= len(c.src) || c.src[c.pos] != '"' {
		return nil, false
	}
	return c.text()
}

// sort rewrites the members of the object that has been read last in the order
// of their names, and reports whether no two names are equal.
func (c *canonicalizer) sort(members []member) bool {
	c.take()
	start, end := members[0].start, len(c.out)
	slices.SortFunc(members, func(a, b member) int { return compareNames(a.name, b.name) })
	for i := range members { // behind what is there, then over it
		m := &members[i]
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
