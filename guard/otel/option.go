package otel

// Option changes [Trace] and [Records].
type Option struct{ set func(*config) }

type config struct {
	trust bool // the tracing headers of callers
}

func configOf(opts []Option) (c config) {
	for _, opt := range opts {
		opt.set(&c)
	}
	return c
}

// TrustHeaders takes the parent of the span from the caller's traceparent and
// tracestate, and puts the caller's baggage into the context, before Lambda's
// header is asked: from the headers of an HTTP request, and from the attributes of
// a message.
//
// Use it where all callers are your own services, as behind IAM authentication or
// in a private API. Anyone else could choose the ids of your traces, have each of
// their requests recorded at your cost or none, and put values into each call that
// the function makes.
func TrustHeaders() Option {
	return Option{func(c *config) { c.trust = true }}
}
