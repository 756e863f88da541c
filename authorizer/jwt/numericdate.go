package jwt

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxDate is the last second of the year 9999.
	maxDate = 253402300799
	// maxDigits is how long a number may be written.
	maxDigits = 32
)

// numericDate reads a NumericDate (RFC 7519, section 2): seconds since 1970,
// with a fraction perhaps. What lies outside of the years 1970 to 9999 is no
// date, however it is written.
func numericDate(value jsontext.Value) (time.Time, bool) {
	if value.Kind() != jsontext.KindNumber || len(value) > maxDigits || value[0] == '-' {
		return time.Time{}, false
	}
	if seconds, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return time.Unix(seconds, 0), seconds <= maxDate
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f > maxDate {
		return time.Time{}, false
	}
	seconds := int64(f)
	return time.Unix(seconds, int64((f-float64(seconds))*1e9)), true
}
