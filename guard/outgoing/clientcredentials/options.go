package clientcredentials

import (
	"net/http"
	"net/url"
	"strings"
)

// Option changes [New].
type Option struct{ set func(*Source) }

// Scopes sets the scopes of the token. Without it the server decides. It panics if a
// scope has a space, a quote or a backslash (RFC 6749, section 3.3).
func Scopes(scopes ...string) Option {
	for _, scope := range scopes {
		unfit := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
		if scope == "" || strings.IndexFunc(scope, unfit) >= 0 {
			panic("clientcredentials: a scope must consist of visible ASCII, without a quote and a backslash; list several as arguments")
		}
	}
	return Option{func(s *Source) { s.form.Set("scope", strings.Join(scopes, " ")) }}
}

// Audience sets the parameter audience, which no standard defines for this grant and
// some servers need, such as Auth0.
func Audience(audience string) Option {
	if audience == "" {
		panic("clientcredentials: Audience needs a name")
	}
	return Option{func(s *Source) { s.form.Set("audience", audience) }}
}

// Resource sets the services that the token is for (RFC 8707). It panics if one is not
// an absolute URI, or has a fragment.
func Resource(uris ...string) Option {
	for _, uri := range uris {
		if u, err := url.Parse(uri); err != nil || !u.IsAbs() || u.Fragment != "" || strings.Contains(uri, "#") {
			panic("clientcredentials: a resource must be an absolute URI without a fragment, such as https://stock.example/")
		}
	}
	return Option{func(s *Source) { s.form["resource"] = uris }}
}

// SecretInBody sends the client id and the secret as parameters, client_secret_post. It
// is for servers that cannot read the header Authorization, or do not decode what is in
// it: RFC 6749, section 2.3.1, does not recommend it.
func SecretInBody() Option {
	return Option{func(s *Source) { s.inBody = true }}
}

// Via sets the transport of the requests to the token endpoint, [http.DefaultTransport]
// by default. It must not follow redirects. It panics if base is nil.
func Via(base http.RoundTripper) Option {
	if base == nil {
		panic("clientcredentials: Via with a nil transport")
	}
	return Option{func(s *Source) { s.base = base }}
}
