package authorizer

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// SourceIP grants if the gateway took the request from one of the networks,
// "192.0.2.0/24", "2001:db8::/32", or addresses. It returns the grant so far, see
// [All]; if there is none, the principal is the address. Otherwise it is Forbidden.
// SourceIP panics if one is no network, or has bits beyond its length.
func SourceIP(networks ...string) Check {
	if len(networks) == 0 {
		panic("authorizer: SourceIP without a network")
	}
	prefixes := make([]netip.Prefix, len(networks))
	for i, text := range networks {
		prefix, err := netip.ParsePrefix(text)
		if addr, bad := netip.ParseAddr(text); err != nil && bad == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil || prefix != prefix.Masked() || prefix.Addr().Is4In6() {
			panic(fmt.Sprintf("authorizer: SourceIP with %q, which is no network or has bits beyond its length", text))
		}
		prefixes[i] = prefix
	}
	return func(ctx context.Context, r *Request) (*Grant, error) {
		addr, err := netip.ParseAddr(r.SourceIP())
		addr = addr.Unmap()
		inside := func(p netip.Prefix) bool { return p.Contains(addr) }
		if err != nil || !slices.ContainsFunc(prefixes, inside) {
			return nil, guard.Errorf(guard.Forbidden, "source_address", "Requests from this address are not allowed.")
		}
		if g, ok := GrantFrom(ctx); ok {
			return g, nil
		}
		return &Grant{Principal: addr.String()}, nil
	}
}

// ClientCert grants if the client has a certificate that the gateway has verified
// (mutual TLS), and its subject is one of subjects, written as the gateway writes
// it: "CN=shop,O=Example". Without subjects any certificate will do that the trust
// store of the domain lets in. Another subject is Forbidden, and no certificate is
// Unauthenticated. ClientCert panics for an empty subject.
//
// The principal is the subject, so two issuers in one trust store must not use it
// for two clients. The grant expires with the certificate.
//
// Only the events of a custom domain with mutual TLS have certificates. Disable the
// default endpoint of the API: requests that come through it have none.
func ClientCert(subjects ...string) Check {
	if slices.Contains(subjects, "") {
		panic("authorizer: ClientCert with an empty subject")
	}
	return func(_ context.Context, r *Request) (*Grant, error) {
		cert := r.ClientCert()
		if cert == nil || cert.SubjectDN == "" {
			return nil, missing("", "A client certificate is required.")
		}
		if len(subjects) > 0 && !slices.Contains(subjects, cert.SubjectDN) {
			return nil, guard.Errorf(guard.Forbidden, "client_certificate", "%s is not allowed this.", cert.SubjectDN)
		}
		g := &Grant{Principal: cert.SubjectDN}
		if cert.NotAfter != "" {
			end, err := time.Parse("Jan _2 15:04:05 2006 MST", cert.NotAfter)
			if err != nil {
				return nil, fmt.Errorf("authorizer: the client certificate's end: %w", err)
			}
			g.Expires = end
		}
		return g, nil
	}
}
