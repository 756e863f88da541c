package authorizer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// ClientCert grants if the gateway has verified a client certificate (mutual TLS) whose
// subject is one of subjects, as the gateway writes it: "CN=shop,O=Example". Without
// subjects it grants for any certificate that the domain's trust store accepts. Another
// subject is Forbidden, and a missing certificate is Unauthenticated. ClientCert panics
// for an empty subject.
//
// The principal is the subject, so two issuers in one trust store must not use it for
// two clients. The grant expires with the certificate.
//
// Only the events of a custom domain with mutual TLS have certificates. Disable the
// default endpoint of the API, as it does not require a certificate.
func ClientCert(subjects ...string) Check {
	if slices.Contains(subjects, "") {
		panic("authorizer: ClientCert with an empty subject")
	}
	subjects = slices.Clone(subjects)
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
				return nil, fmt.Errorf("authorizer: the end of the client certificate: %w", err)
			}
			g.Expires = end
		}
		return g, nil
	}
}
