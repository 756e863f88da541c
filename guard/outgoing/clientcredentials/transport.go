package clientcredentials

import (
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/headers"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/hosts"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

var (
	errHost          = reason.New("clientcredentials: the request goes to a host that Transport was not made for, perhaps by a redirect; nothing is sent")
	errPlain         = reason.New("clientcredentials: the request does not use https; nothing is sent")
	errAuthorization = reason.New("clientcredentials: the request has an Authorization header already")
)

// Transport returns a transport that sends each request with a token, in the header
// Authorization.
//
// Only requests to hostNames are sent. Any other one is an error, also one that a
// redirect has led there, or whose header Host is another name: who has the token can use
// it. "*.internal.example" is every host below internal.example. A request must use
// https, but for this machine (RFC 6750, section 5.3). One that has an Authorization
// header already is an error. The other errors are those of [Source.Token] and of base.
//
// If the answer is 401 and there is another token then, the request is sent once more.
// A body must have GetBody for that, as http.NewRequest sets it for bytes and strings.
//
// base sends the requests; nil means [http.DefaultTransport]. Transport panics without
// hostNames, or if one has a scheme, a port or a path.
func (s *Source) Transport(base http.RoundTripper, hostNames ...string) http.RoundTripper {
	if len(hostNames) == 0 {
		panic("clientcredentials: Transport needs the hosts that get the token")
	}
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{base: base, source: s, hosts: hosts.MustList("clientcredentials", hostNames)}
}

type transport struct {
	base   http.RoundTripper
	source *Source
	hosts  hosts.List
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	k, err := t.admit(r)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	res, err := t.send(r, k)
	if err != nil || res.StatusCode != http.StatusUnauthorized {
		return res, err
	}
	again, ok := t.repeat(r, k)
	if !ok {
		return res, nil
	}
	_ = res.Body.Close() // unread, because it may never end
	return again()
}

// admit returns the token for a request, or why it is not sent.
func (t *transport) admit(r *http.Request) (*kept, error) {
	if !t.hosts.Has(r) {
		return nil, errHost
	}
	if !hosts.IsPrivate(r.URL) {
		return nil, errPlain
	}
	if _, ok := headers.Copy(r.Header)["Authorization"]; ok {
		return nil, errAuthorization
	}
	return t.source.get(r.Context(), nil)
}

func (t *transport) send(r *http.Request, k *kept) (*http.Response, error) {
	header := headers.Copy(r.Header)
	header.Set("Authorization", "Bearer "+k.text)
	r = r.WithContext(r.Context()) // a copy
	r.Header = header
	return t.base.RoundTrip(r)
}

// repeat returns a function that sends a request once more, with another token than the
// one that was rejected.
func (t *transport) repeat(r *http.Request, rejected *kept) (again func() (*http.Response, error), ok bool) {
	r = r.WithContext(r.Context())
	hasBody := r.Body != nil && r.Body != http.NoBody
	if hasBody && r.GetBody == nil {
		return nil, false
	}
	k, err := t.source.get(r.Context(), rejected)
	if err != nil || k.text == rejected.text {
		return nil, false
	}
	if hasBody {
		if r.Body, err = r.GetBody(); err != nil {
			return nil, false
		}
	}
	return func() (*http.Response, error) { return t.send(r, k) }, true
}
