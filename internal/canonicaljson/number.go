package canonicaljson

import (
	"bytes"
	"math"
	"strconv"
)

const (
	exactDigits       = 15 // so many digits are the same number as a double
	maxExponentDigits = 9
)

// number reads a number and writes it, see the package's comment.
func (c *canonicalizer) number() bool {
	start := c.pos
	negative := c.next('-')
	whole := c.digits()
	if len(whole) == 0 || len(whole) > 1 && whole[0] == '0' {
		c.pos = start
		return false
	}
	var fraction []byte
	if c.next('.') {
		if fraction = c.digits(); len(fraction) == 0 {
			return false
		}
	}
	exponent, scientific := 0, false
	if c.pos < len(c.src) && c.src[c.pos]|0x20 == 'e' {
		c.pos++
		scientific = true
		var ok bool
		if exponent, ok = c.exponent(); !ok {
			return false
		}
	}
	if fraction == nil && !scientific && len(whole) <= exactDigits && !(negative && whole[0] == '0') {
		return true
	}
	d := decimal{negative: negative, point: len(whole) + exponent}
	d.digits = append(append(make([]byte, 0, len(whole)+len(fraction)), whole...), fraction...)
	c.out = append(c.out, c.src[c.done:start]...)
	c.done = c.pos
	c.out = d.canonical(c.src[start:c.pos]).append(c.out)
	return true
}

func (c *canonicalizer) digits() []byte {
	start := c.pos
	for c.pos < len(c.src) && c.src[c.pos]-'0' <= 9 {
		c.pos++
	}
	return c.src[start:c.pos]
}

func (c *canonicalizer) exponent() (int, bool) {
	negative := c.next('-')
	if !negative {
		c.next('+')
	}
	digits := c.digits()
	if len(digits) == 0 {
		return 0, false
	}
	digits = bytes.TrimLeft(digits, "0")
	if len(digits) > maxExponentDigits {
		return 0, false
	}
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// decimal is a number: 0.digits times ten to the point.
type decimal struct {
	negative bool
	digits   []byte
	point    int
}

// canonical gives the number that stands for d, which was written as text.
func (d decimal) canonical(text []byte) decimal {
	leading := len(d.digits)
	d.digits = bytes.TrimLeft(d.digits, "0")
	d.point -= leading - len(d.digits)
	d.digits = bytes.TrimRight(d.digits, "0")
	if len(d.digits) == 0 {
		return decimal{digits: []byte{'0'}, point: 1}
	}
	if d.point >= len(d.digits) {
		return d // whole
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f == 0 {
		return d // beyond what a double can hold
	}
	return fromFloat(f)
}

// fromFloat gives the shortest decimal that reads as f, which is not 0.
func fromFloat(f float64) decimal {
	var room [32]byte
	text := strconv.AppendFloat(room[:0], math.Abs(f), 'e', -1, 64)
	e := bytes.IndexByte(text, 'e')
	exponent, _ := strconv.Atoi(string(text[e+1:])) // written by AppendFloat
	digits := append(make([]byte, 0, e), text[0])
	if e > 2 {
		digits = append(digits, text[2:e]...)
	}
	return decimal{negative: f < 0, digits: digits, point: exponent + 1}
}

// append writes d as ECMAScript's Number::toString does.
//
// https://tc39.es/ecma262/#sec-numeric-types-number-tostring
func (d decimal) append(out []byte) []byte {
	if d.negative {
		out = append(out, '-')
	}
	k, n := len(d.digits), d.point
	switch {
	case k <= n && n <= 21:
		out = append(out, d.digits...)
		return appendZeros(out, n-k)
	case 0 < n && n <= 21:
		out = append(out, d.digits[:n]...)
		out = append(out, '.')
		return append(out, d.digits[n:]...)
	case -6 < n && n <= 0:
		out = append(out, '0', '.')
		out = appendZeros(out, -n)
		return append(out, d.digits...)
	}
	out = append(out, d.digits[0])
	if k > 1 {
		out = append(out, '.')
		out = append(out, d.digits[1:]...)
	}
	out = append(out, 'e')
	if n > 0 {
		out = append(out, '+')
	}
	return strconv.AppendInt(out, int64(n-1), 10)
}

func appendZeros(out []byte, n int) []byte {
	for range n {
		out = append(out, '0')
	}
	return out
}
