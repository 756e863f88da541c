package sigv4

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/headers"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/hosts"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// lattice is VPC Lattice, which does not support a hash of the body.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/sigv4-authenticated-requests.html
const (
	lattice         = "vpc-lattice-svcs"
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

var (
	errHost          = reason.New("sigv4: the request goes to a host that Transport was not made for, perhaps by a redirect; nothing is sent")
	errPlain         = reason.New("sigv4: the request does not use https; nothing is sent")
	errAuthorization = reason.New("sigv4: the request has an Authorization header already")
	errCredentials   = reason.New("sigv4: there are no credentials")
)

// Transport returns a transport that signs each request with the credentials of creds,
// for a service in a region: see the package.
//
// Only requests to hosts are sent. Any other one is an error, also one that a redirect
// has led there, or whose header Host is another name: a signature and a body that are
// for one host must not go to another. "*.internal.example" is every host below
// internal.example. A request must use https, but for VPC Lattice and for this machine.
// One that has an Authorization header already is an error.
//
// To be hashed, the body is read by GetBody of the request, which http.NewRequest sets
// for bytes and strings. A body without it is held in memory, up to 10 MiB, which no
// service exceeds; a larger one is an error. No more of it is read once the context of the
// request has ended. For VPC Lattice the body is not read.
//
// The error wraps that of creds if there are no credentials. creds are asked once and
// kept until they expire. With SnapStart pass an [aws.CredentialsCache], as
// config.LoadDefaultConfig makes it, and list its Invalidate in guard.OnRestore. base sends the requests; nil means [http.DefaultTransport].
//
// Transport panics if creds, region, service or hosts are missing, or if one of hosts
// has a scheme, a port or a path.
func Transport(base http.RoundTripper, creds aws.CredentialsProvider, region, service string, hostNames ...string) http.RoundTripper {
	switch {
	case creds == nil || aws.IsCredentialsProvider(creds, aws.AnonymousCredentials{}):
		panic("sigv4: Transport without credentials; pass Credentials of an aws.Config that was loaded")
	case region == "" || service == "":
		panic("sigv4: Transport needs a region and a service, such as execute-api or lambda")
	case len(hostNames) == 0:
		panic("sigv4: Transport needs the hosts that requests are signed for")
	}
	if base == nil {
		base = http.DefaultTransport
	}
	if _, ok := creds.(*aws.CredentialsCache); !ok {
		creds = aws.NewCredentialsCache(creds)
	}
	return &transport{
		base: base, creds: creds, region: region, service: service, hosts: hosts.MustList("sigv4", hostNames),
		signer: v4.NewSigner(),
	}
}

type transport struct {
	base            http.RoundTripper
	creds           aws.CredentialsProvider
	region, service string
	hosts           hosts.List
	signer          *v4.Signer
	clock           clock.Clock
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	signed, err := t.sign(r)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	return t.base.RoundTrip(signed)
}

// sign returns a copy of r with a signature.
func (t *transport) sign(r *http.Request) (*http.Request, error) {
	header := headers.Copy(r.Header)
	_, authorized := header["Authorization"]
	switch {
	case !t.hosts.Has(r):
		return nil, errHost
	case !hosts.IsPrivate(r.URL) && t.service != lattice:
		return nil, errPlain
	case authorized:
		return nil, errAuthorization
	}
	creds, err := t.creds.Retrieve(r.Context())
	if err == nil && !creds.HasKeys() {
		err = reason.New("the access key is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCredentials, err)
	}
	out := r.Clone(r.Context())
	out.Header = header
	if err := escape(out.URL); err != nil {
		return nil, err
	}
	hash := unsignedPayload
	if t.service == lattice {
		out.Header.Set("X-Amz-Content-Sha256", hash)
	} else if hash, err = hashBody(out); err != nil {
		return nil, err
	}

	// The signer signs all headers and sorts the query, so it gets another request.
	bareURL := *out.URL
	bare := &http.Request{Method: cmp.Or(out.Method, http.MethodGet), URL: &bareURL, Host: out.Host, ContentLength: out.ContentLength, Header: http.Header{}}
	if t.service == lattice {
		bare.ContentLength = 0 // its body is not signed, and may have no length
	}
	for name, values := range out.Header {
		if len(values) > 0 && signs(name) {
			bare.Header[name] = slices.Clone(values)
		}
	}
	if err := t.signer.SignHTTP(r.Context(), creds, bare, hash, t.service, t.region, t.clock.Now()); err != nil {
		return nil, fmt.Errorf("%w: %w", reason.New("sigv4: the request cannot be signed"), err)
	}
	out.Host = bare.Host // without a default port
	for _, name := range made {
		delete(out.Header, name)
		if values := bare.Header[name]; values != nil {
			out.Header[name] = values
		}
	}
	return out, nil
}

// made are the headers of a signature.
var made = []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"}

// signs reports whether a header that the caller has set is signed.
func signs(name string) bool {
	return name == "Content-Type" || strings.HasPrefix(name, "X-Amz-") && !slices.Contains(made, name)
}
