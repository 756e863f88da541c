package judge

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
)

// maxDigits limits a number: the length of its text, and its exponent either
// way. The largest float64 has 309 digits.
const maxDigits = 512

// bounded reports whether the text of a number stays below maxDigits.
func bounded(text string) bool {
	i := strings.IndexAny(text, "eE")
	if i < 0 || len(text) > maxDigits {
		return len(text) <= maxDigits
	}
	exponent, err := strconv.Atoi(text[i+1:])
	return err == nil && -maxDigits <= exponent && exponent <= maxDigits
}

// number is exact. It has a fraction only if it is not an int64.
type number struct {
	whole    int64
	fraction *big.Rat
}

// parse reads a JSON number that is bounded.
func parse(text string) number {
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number{whole: whole}
	}
	fraction, ok := new(big.Rat).SetString(text)
	if !ok { // which is no JSON number
		return number{}
	}
	if fraction.IsInt() && fraction.Num().IsInt64() {
		return number{whole: fraction.Num().Int64()}
	}
	return number{fraction: fraction}
}

// numberSteps returns the steps that the work with a bounded number costs.
func numberSteps(text string) int {
	i := strings.IndexAny(text, ".eE")
	if i < 0 && len(text) < 20 {
		return 0
	}
	exponent := 0
	if i = strings.IndexAny(text, "eE"); i >= 0 {
		exponent, _ = strconv.Atoi(text[i+1:])
	}
	return 5 + (len(text)+max(exponent, -exponent))/10
}

func (n number) rat() *big.Rat {
	if n.fraction != nil {
		return n.fraction
	}
	return new(big.Rat).SetInt64(n.whole)
}

func (n number) compare(m number) int {
	if n.fraction != nil || m.fraction != nil {
		return n.rat().Cmp(m.rat())
	}
	return cmp.Compare(n.whole, m.whole)
}

func (n number) isInteger() bool { return n.fraction == nil || n.fraction.IsInt() }

func (n number) isMultipleOf(m number) bool {
	if n.fraction != nil || m.fraction != nil {
		return new(big.Rat).Quo(n.rat(), m.rat()).IsInt()
	}
	return n.whole%m.whole == 0
}

// key is the same for equal numbers.
func (n number) key() any {
	if n.fraction != nil {
		return n.fraction.RatString()
	}
	return n.whole
}
