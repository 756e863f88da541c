package recursion

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/request"
)

const baggage = "Baggage"

// How much baggage every platform must propagate, see
// https://www.w3.org/TR/baggage/#limits.
const (
	mostBaggage = 8192 // bytes
	mostMembers = 64
)

// SetHeader sets the counter of ctx in the header of a request that will be sent: as
// Lambdarmor-Hops, and as a member of the baggage. Other members are kept. If the baggage
// has no room left, it stays as it is. Without a counter, see [Hops], nothing is set.
//
// Package outgoing has a transport that does this for each request to services of your
// own: others learn how long your chains are.
func SetHeader(ctx context.Context, h http.Header) {
	hops := Hops(ctx)
	if hops == 0 {
		return
	}
	h.Set(Header, strconv.Itoa(hops))
	if packed, ok := pack(h.Values(baggage), hops); ok {
		h.Set(baggage, packed)
	}
}

// pack returns the lines of a baggage with the counter in it. ok is false if there is no
// room.
func pack(lines []string, hops int) (packed string, ok bool) {
	var all []string
	for m := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if name, _, _ := strings.Cut(m, "="); strings.TrimSpace(m) != "" && strings.TrimSpace(name) != Attribute {
			all = append(all, strings.TrimSpace(m))
		}
	}
	all = append(all, Attribute+"="+strconv.Itoa(hops))
	packed = strings.Join(all, ",")
	return packed, len(all) <= mostMembers && len(packed) <= mostBaggage
}

// request adds the counters of an HTTP request.
func (c *counter) request(r *request.Request) {
	if r.HeaderLines(Header) > 0 {
		c.add(strings.TrimSpace(r.Header(Header)))
	}
	for m := range strings.SplitSeq(r.Header(baggage), ",") {
		member, _, _ := strings.Cut(m, ";") // properties
		if name, value, _ := strings.Cut(member, "="); strings.TrimSpace(name) == Attribute {
			c.add(strings.TrimSpace(value))
		}
	}
}
