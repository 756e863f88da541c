package recursion

import (
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

// Carry returns a transport that sends the counter of a request's context, in the
// header Lambdarmor-Hops and as a member of the baggage. Other members are kept. If the
// baggage has no room left, it is sent as it is. Without a counter, see [Hops], the
// request is sent as it is.
//
// base sends the requests; nil means [http.DefaultTransport]. A transport that sets the
// baggage by itself, as those for tracing do, belongs around Carry and not into base, where
// it would send the counter of the request that came. Use Carry for services of
// your own: others learn how long your chains are.
func Carry(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return transport{base}
}

type transport struct{ base http.RoundTripper }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	hops := Hops(r.Context())
	if hops == 0 {
		return t.base.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(Header, strconv.Itoa(hops))
	if packed, ok := pack(r.Header.Values(baggage), hops); ok {
		r.Header.Set(baggage, packed)
	}
	return t.base.RoundTrip(r)
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
