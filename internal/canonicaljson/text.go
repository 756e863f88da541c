package canonicaljson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// plain reports whether b stands for itself in a string.
func plain(b byte) bool {
	return b >= ' ' && b < utf8.RuneSelf && b != '"' && b != '\\'
}

// text reads the string that starts here and writes it. What it returns is the
// text that the string stands for.
func (c *canonicalizer) text() (decoded []byte, ok bool) {
	start := c.pos + 1
	i := start
	for i < len(c.src) {
		switch b := c.src[i]; {
		case plain(b):
			i++
		case b == '"':
			c.pos = i + 1
			return c.src[start:i], true
		case b == '\\':
			return c.escapedText(i)
		default:
			r, size := utf8.DecodeRune(c.src[i:])
			if b < ' ' || r == utf8.RuneError && size == 1 {
				c.pos = i
				return nil, false
			}
			i += size
		}
	}
	c.pos = i
	return nil, false
}

// escapedText is text for a string whose first backslash is at i.
func (c *canonicalizer) escapedText(i int) (decoded []byte, ok bool) {
	c.take()
	decoded = append(decoded, c.src[c.pos+1:i]...)
	for i < len(c.src) {
		c.pos = i
		switch b := c.src[i]; {
		case plain(b):
			decoded = append(decoded, b)
			i++
		case b == '"':
			c.pos++
			c.done = c.pos
			c.quote(decoded)
			return decoded, true
		case b == '\\':
			r, size := unescape(c.src[i:])
			if size == 0 {
				return nil, false
			}
			decoded = utf8.AppendRune(decoded, r)
			i += size
		default:
			r, size := utf8.DecodeRune(c.src[i:])
			if b < ' ' || r == utf8.RuneError && size == 1 {
				return nil, false
			}
			decoded = append(decoded, c.src[i:i+size]...)
			i += size
		}
	}
	c.pos = i
	return nil, false
}

// unescape reads the escape that text begins with, both halves of a surrogate
// pair included; size is 0 where it is none.
func unescape(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch text[1] {
	case '"', '\\', '/':
		return rune(text[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	r = hex4(text)
	if !utf16.IsSurrogate(r) {
		if r < 0 {
			return 0, 0
		}
		return r, 6
	}
	if r = utf16.DecodeRune(r, hex4(text[6:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex4 reads \uXXXX, and is negative where text does not begin with one.
func hex4(text []byte) (r rune) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	for _, b := range text[2:6] {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b >= 'a' && b <= 'f':
			b -= 'a' - 10
		case b >= 'A' && b <= 'F':
			b -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(b)
	}
	return r
}

// quote writes a text as RFC 8785 wants strings, section 3.2.2.2.
func (c *canonicalizer) quote(text []byte) {
	const digits = "0123456789abcdef"
	c.out = append(c.out, '"')
	for _, b := range text {
		switch {
		case plain(b) || b >= utf8.RuneSelf:
			c.out = append(c.out, b)
		case b == '"' || b == '\\':
			c.out = append(c.out, '\\', b)
		case b == '\b':
			c.out = append(c.out, '\\', 'b')
		case b == '\t':
			c.out = append(c.out, '\\', 't')
		case b == '\n':
			c.out = append(c.out, '\\', 'n')
		case b == '\f':
			c.out = append(c.out, '\\', 'f')
		case b == '\r':
			c.out = append(c.out, '\\', 'r')
		default:
			c.out = append(c.out, '\\', 'u', '0', '0', digits[b>>4], digits[b&0xF])
		}
	}
	c.out = append(c.out, '"')
}
