package canonicaljson

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

const (
	exactDigits       = 15 // a whole number of so many digits equals its double
	maxExponentDigits = 9
)

// appendNumber appends a JSON number in its canonical form, see the package
// comment.
func appendNumber(out, text []byte) ([]byte, error) {
	if len(text) <= exactDigits && text[0] != '0' && text[0] != '-' && !bytes.ContainsAny(text, ".eE") {
		return append(out, text...), nil
	}
	mantissa, exponent := text, 0
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		digits := bytes.TrimLeft(text[i+1:], "+-0")
		if len(digits) > maxExponentDigits {
			return out, fmt.Errorf("an exponent of more than %d digits", maxExponentDigits)
		}
		exponent, _ = strconv.Atoi(string(text[i+1:])) // has been read as JSON
		mantissa = text[:i]
	}
	unsigned, negative := bytes.CutPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(unsigned, []byte("."))
	d := decimal{negative: negative, digits: append(bytes.Clone(whole), fraction...), point: len(whole) + exponent}
	return d.canonical(text).append(out), nil
}

// decimal is a number: 0.digits times ten to the point.
type decimal struct {
	negative bool
	digits   []byte
	point    int
}

// canonical returns the number that stands for d, which was written as text.
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

// fromFloat returns the shortest decimal that reads as f, which is not 0.
func fromFloat(f float64) decimal {
	text := strconv.AppendFloat(nil, math.Abs(f), 'e', -1, 64)
	mantissa, e, _ := bytes.Cut(text, []byte("e"))
	exponent, _ := strconv.Atoi(string(e)) // written by AppendFloat
	return decimal{negative: f < 0, digits: bytes.Replace(mantissa, []byte("."), nil, 1), point: exponent + 1}
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
		return append(append(out, d.digits...), zeros(n-k)...)
	case 0 < n && n <= 21:
		out = append(append(out, d.digits[:n]...), '.')
		return append(out, d.digits[n:]...)
	case -6 < n && n <= 0:
		out = append(append(out, "0."...), zeros(-n)...)
		return append(out, d.digits...)
	}
	out = append(out, d.digits[0])
	if k > 1 {
		out = append(append(out, '.'), d.digits[1:]...)
	}
	out = append(out, 'e')
	if n > 0 {
		out = append(out, '+')
	}
	return strconv.AppendInt(out, int64(n-1), 10)
}

func zeros(n int) []byte { return bytes.Repeat([]byte{'0'}, n) }
