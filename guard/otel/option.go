package otel

// Option changes [Trace].
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

// TrustHeaders takes the parent of a span from the caller's traceparent and
// tracestate, before X-Ray is asked: from the headers of an HTTP request, or the
// attributes of a message of SNS. The caller's baggage goes on in the context,
// unless a member is not valid or there are more than W3C allows, 64 members in
// 8192 bytes. A header with anything else in it, or a tracestate of more than 512
// bytes, is ignored.
//
// Without TrustHeaders all of them are. Use it where every caller is a service of
// your own, as behind IAM authentication or in a private network. Any other caller
// could choose the ids of your traces, have each request recorded at your cost or
// none, and have values sent on in each call that the function makes.
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
