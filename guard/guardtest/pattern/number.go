package pattern

import (
	"strconv"
	"strings"
)

// A num is a number and whether a float64 holds it: without being too large or too
// small, and without losing digits.
type num struct {
	f     float64
	exact bool
}

func parseNumber(text string) num {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return num{}
	}
	return num{f: f, exact: digits(strconv.FormatFloat(f, 'e', -1, 64)) == digits(text)}
}

// A decimal is a number without leading or trailing zeros: sign, digits, and the power
// of ten of the last digit.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

func digits(text string) decimal {
	mantissa, power, _ := strings.Cut(strings.ToLower(text), "e")
	d := decimal{}
	mantissa, d.negative = strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d.digits = strings.TrimLeft(whole+fraction, "0")
	if d.digits == "" {
		return decimal{}
	}
	d.exponent, _ = strconv.Atoi(power) // ParseFloat has read it; none is 0
	d.exponent -= len(fraction)
	significant := strings.TrimRight(d.digits, "0")
	d.exponent += len(d.digits) - len(significant)
	d.digits = significant
	return d
}
