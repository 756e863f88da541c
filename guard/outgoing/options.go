package outgoing

import (
	"net/http"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/hosts"
)

// Option changes [Transport].
type Option struct{ set func(*transport) }

// Hosts sets which hosts get the ids of the invocation: those of your own services.
// Without it none does. A name such as "api.internal.example" is that host alone, at any
// port. "*.internal.example" is every host below internal.example, and not
// internal.example itself.
//
// An id may be one that a client has chosen, and all of them let a third party link the
// requests of one client. A redirect to a host that is not listed gets none, and so does
// a request whose header Host is another name.
//
// Hosts panics if a name has a scheme, a port or a path, or is "*" alone.
func Hosts(names ...string) Option {
	list := hosts.MustList("outgoing", names)
	return Option{func(t *transport) { t.own = append(t.own, list...) }}
}

// CorrelationName sets the header of the correlation id, [CorrelationHeader] by default.
// It panics if name is not the name of a header.
func CorrelationName(name string) Option {
	unfit := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}
	if name == "" || strings.IndexFunc(name, unfit) >= 0 {
		panic("outgoing: CorrelationName needs the name of a header, of letters, digits, hyphens and underscores")
	}
	name = http.CanonicalHeaderKey(name)
	return Option{func(t *transport) { t.correlation = name }}
}

// Reserve sets how long before the deadline of its context a request ends, 100 ms by
// default. It is at most half of the time that is left. With 0 the request ends with its
// context. Reserve panics if d is negative.
func Reserve(d time.Duration) Option {
	if d < 0 {
		panic("outgoing: Reserve with a negative duration")
	}
	return Option{func(t *transport) { t.reserve = d }}
}

// Timeout sets how long a request may take whose context has no deadline, 30 s by
// default. It panics if d is not positive.
func Timeout(d time.Duration) Option {
	if d <= 0 {
		panic("outgoing: Timeout needs a positive duration")
	}
	return Option{func(t *transport) { t.timeout = d }}
}
