package webhook

import (
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// scheme is how a sender signs.
type scheme struct {
	name string
	// read finds what a request says of itself. Its errors are the sender's.
	read func(req *request.Request) (claim, error)
	// parse reads a key as the sender's console shows it.
	parse func(text string) (key, error)
	// identify tells a delivery that has no signed id from others; nil where
	// every delivery has one.
	identify func(ev *guard.Event) (string, error)
}

// claim is what a request says of itself, true only once it is verified.
type claim struct {
	id         string // "" where the scheme has none
	sent       string // Unix seconds, "" where the scheme does not tell
	prefix     string // what is signed before the body
	signatures signatures
}

// parseTime reads Unix seconds: digits alone, so that what was signed can be
// read in one way only.
func parseTime(seconds string) (time.Time, bool) {
	if seconds == "" || len(seconds) > len("99999999999") || strings.Trim(seconds, "0123456789") != "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0), err == nil
}

const maxID = 255

// validID reports whether an id can be one: printable, without the comma that
// joins a header sent twice, and without what ends an id in the signed content.
func validID(id, end string) bool {
	if id == "" || len(id) > maxID || strings.Contains(id, end) {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == ',' {
			return false
		}
	}
	return true
}
