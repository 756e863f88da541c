package judge

import (
	"math/big"
	"strconv"
	"strings"
)

// maxDigits limits a number: the length of its text, and its exponent either
// way. The largest float64 has 309 digits.
const maxDigits = 512

// bounded reports whether the text of a number stays below maxDigits.
func bounded(number string) bool {
	i := strings.IndexAny(number, "eE")
	if i < 0 || len(number) > maxDigits {
		return len(number) <= maxDigits
	}
	exponent, err := strconv.Atoi(number[i+1:])
	return err == nil && -maxDigits <= exponent && exponent <= maxDigits
}

// decimal is a number as it was written: 0.digits × 10^point.
type decimal struct {
	negative bool
	digits   string // from the first to the last that is not 0, may contain a point; "" is 0
	point    int
}

// parse reads a JSON number that is bounded.
func parse(number string) decimal {
	var d decimal
	number, d.negative = strings.CutPrefix(number, "-")
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		d.point, _ = strconv.Atoi(number[i+1:])
		number = number[:i]
	}
	whole, fraction, _ := strings.Cut(number, ".")
	if whole == "0" {
		d.digits = strings.TrimLeft(fraction, "0")
		d.point -= len(fraction) - len(d.digits)
	} else {
		d.digits = number
		d.point += len(whole)
	}
	d.digits = strings.TrimRight(d.digits, "0.")
	if d.digits == "" {
		return decimal{}
	}
	return d
}

// plain returns the digits without the point.
func (d decimal) plain() string { return strings.Replace(d.digits, ".", "", 1) }

func (d decimal) isInteger() bool {
	n := len(d.digits)
	if strings.IndexByte(d.digits, '.') >= 0 {
		n--
	}
	return n <= d.point
}

func (d decimal) compare(e decimal) int {
	if d.sign() != e.sign() {
		return d.sign() - e.sign()
	}
	return d.sign() * d.compareSize(e)
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

func (d decimal) compareSize(e decimal) int {
	if d.point != e.point {
		return d.point - e.point
	}
	a, b := d.digits, e.digits
	for a != "" && b != "" {
		switch {
		case a[0] == '.':
			a = a[1:]
		case b[0] == '.':
			b = b[1:]
		case a[0] != b[0]:
			return int(a[0]) - int(b[0])
		default:
			a, b = a[1:], b[1:]
		}
	}
	return len(a) - len(b)
}

// scaled returns d as n × 10^exponent.
func (d decimal) scaled() (n *big.Int, exponent int) {
	digits := d.plain()
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		n = new(big.Int)
	}
	return n, d.point - len(digits)
}

func (d decimal) isMultipleOf(e decimal) bool {
	n, exponent := d.scaled()
	m, exponentM := e.scaled()
	if shift := exponent - exponentM; shift >= 0 {
		n.Mul(n, power(shift))
	} else {
		m.Mul(m, power(-shift))
	}
	return n.Rem(n, m).Sign() == 0
}

func power(exponent int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
}
