package validate

import (
	"math/big"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// short is a number of few digits: digits / 10^scale.
type short struct {
	digits int64
	scale  int
}

// maxShort is how many digits two numbers may have together so that either,
// brought to the other's scale, is an int64.
const maxShort = 18

// shortOf reads a number that is written without an exponent and in at most
// maxShort digits.
func shortOf(text string) (short, bool) {
	var n short
	digits, negative := text, false
	if strings.HasPrefix(digits, "-") {
		digits, negative = digits[1:], true
	}
	if len(digits) == 0 || len(digits) > maxShort {
		return n, false
	}
	for i := range len(digits) {
		switch c := digits[i]; {
		case c == '.' && n.scale == 0:
			n.scale = len(digits) - 1 - i
		case '0' <= c && c <= '9':
			n.digits = n.digits*10 + int64(c-'0')
		default:
			return n, false
		}
	}
	if negative {
		n.digits = -n.digits
	}
	return n, true
}

var powers = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// fits reports whether n can be compared with any number of shortOf that fits.
func (n short) fits() bool {
	return n.scale < len(powers) && -1e9 < n.digits && n.digits < 1e9
}

// compare is exact for numbers that fit.
func (n short) compare(m short) int {
	a, b := n.digits*powers[m.scale], m.digits*powers[n.scale]
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// limit is one of minimum, maximum, and their exclusive forms.
type limit struct {
	value short
	sign  int  // 1: the number has to be above value, -1: below
	equal bool // or equal to it
}

func (l limit) allows(n short) bool {
	c := n.compare(l.value)
	return c == l.sign || c == 0 && l.equal
}

// bound takes the limits of numbers over.
func (r *rule) bound(s *jsonschema.Schema) {
	for _, b := range []struct {
		value *big.Rat
		sign  int
		equal bool
	}{{s.Minimum, 1, true}, {s.ExclusiveMinimum, 1, false}, {s.Maximum, -1, true}, {s.ExclusiveMaximum, -1, false}} {
		if b.value == nil {
			continue
		}
		places, exact := b.value.FloatPrec()
		if !exact || places >= len(powers) {
			r.beyond = true
			return
		}
		value, ok := shortOf(b.value.FloatString(places))
		if !ok || !value.fits() {
			r.beyond = true
			return
		}
		r.limits = append(r.limits, limit{value, b.sign, b.equal})
	}
}
