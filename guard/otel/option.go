package otel

// Option changes [Trace] and [Records].
type Option struct{ set func(*config) }

type config struct {
	trust bool // the tracing headers of callers
	apart bool // from the trace of X-Ray
}

func configOf(opts []Option) (c config) {
	for _, opt := range opts {
		opt.set(&c)
	}
	return c
}

// TrustHeaders takes traceparent, tracestate and baggage from the caller: from the
// headers of an HTTP request, and from the attributes or headers of a message. The
// caller's span is then the parent of the span of a request, before that of
// X-Ray, and a message is linked to its sender's. Baggage goes on in the context,
// unless one member is not valid or there are more than W3C allows, 64 members in
// 8192 bytes. A tracestate of more than 512 bytes is ignored.
//
// Without TrustHeaders all of them are ignored. Use it where all callers are your
// own services, as behind IAM authentication or in a private network. Any other
// caller could choose the ids of your traces, have each request recorded at your
// cost, or none, and have values sent on in each call that the function makes.
func TrustHeaders() Option {
	return Option{func(c *config) { c.trust = true }}
}

// ApartFromXRay starts a trace of its own for each invocation, with a link to the
// segment of X-Ray, where otherwise that segment is the parent. Use it if spans do
// not go to X-Ray: the parent would be missing there, and the decision of X-Ray
// what to sample would count.
func ApartFromXRay() Option {
	return Option{func(c *config) { c.apart = true }}
}
