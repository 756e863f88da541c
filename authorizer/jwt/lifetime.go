package jwt

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Ages of keys.
const (
	// minAge is for how long keys are used whatever their issuer says.
	minAge = 5 * time.Minute
	// unsaidAge is for how long they are used when it says nothing.
	unsaidAge = time.Hour
	// maxAge is when they are fetched again at the latest.
	maxAge = 23 * time.Hour
	// hardAge is when they are not trusted any more. What is between the two is
	// for an issuer that does not answer.
	hardAge = 24 * time.Hour
)

// lifetime is for how long an answer may be used (RFC 9111, section 4.2),
// within bounds.
func lifetime(h http.Header) time.Duration {
	age, said := unsaidAge, false
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache":
			return minAge
		case "max-age": // of several, the shortest
			if n := seconds(strings.Trim(value, `" `)); !said || n < age {
				age, said = n, true
			}
		}
	}
	if said {
		age -= seconds(h.Get("Age"))
	}
	return min(max(age, minAge), maxAge)
}

// seconds reads a number of seconds, at most a year; what is none is 0.
func seconds(s string) time.Duration {
	const year = 365 * 24 * 3600
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil && n == 0 { // a number out of range is a large one
		return 0
	}
	return time.Duration(min(n, year)) * time.Second
}
