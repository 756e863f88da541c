package origin

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/networks"
)

const forwardedFor = "X-Forwarded-For"

// ClientIP returns a rule that the client's address is in one of the networks, or is
// one of the addresses: "192.0.2.0/24", "2001:db8::1". It is the address that the
// gateway took the request from. For a load balancer, which reports it nowhere else, it
// is the last one in X-Forwarded-For. Behind a CDN or a proxy it is theirs: use
// [ForwardedIP].
//
// The rule refuses requests of Lattice, whose pages do not say what becomes of an
// X-Forwarded-For that the client sends. It also refuses an address with a zone, and a
// request with several X-Forwarded-For.
//
// A load balancer that is set to preserve X-Forwarded-For passes on what the client
// made up. Leave it at append, the default.
//
// ClientIP panics without a network, and for one that is malformed or has bits beyond
// its length.
func ClientIP(nets ...string) Rule {
	return inNetworks("ClientIP", nets, func(o *origin) string {
		switch {
		case o.request.Trigger() == guard.ALB:
			return o.forwarded(0)
		default:
			return o.request.SourceIP()
		}
	})
}

// ForwardedIP is [ClientIP] for a gateway behind one or more proxies of yours, such as
// a CDN. Each proxy, and then the gateway, adds the address that it took the request
// from at the end of X-Forwarded-For. So the client's address has as many addresses
// behind it as there are proxies. The client may have made up those before it. Look at
// an event of your own to count.
//
// A client that calls the gateway directly can send any X-Forwarded-For. Use ForwardedIP
// with [Header], or another rule that only the proxy can satisfy.
//
// ForwardedIP panics if proxies is less than 1, and as ClientIP does.
func ForwardedIP(proxies int, nets ...string) Rule {
	if proxies < 1 {
		panic("origin: ForwardedIP without a proxy; use ClientIP")
	}
	return inNetworks("ForwardedIP", nets, func(o *origin) string { return o.forwarded(proxies) })
}

func inNetworks(rule string, nets []string, address func(*origin) string) Rule {
	list, err := networks.Parse(nets...)
	if err != nil {
		panic("origin: " + rule + " " + err.Error())
	}
	return Rule{judge: func(_ context.Context, o *origin) error {
		if o.request == nil {
			return refused(rule, notSaid)
		}
		addr, ok := parseAddress(address(o))
		switch {
		case !ok:
			return refused(rule, notSaid)
		case !list.Contains(addr):
			return refused(rule, foreign)
		default:
			return nil
		}
	}}
}

// forwarded returns the address in X-Forwarded-For with after addresses behind it, ""
// if there is none. Lines in several spellings have lost their order.
func (o *origin) forwarded(after int) string {
	all := strings.Split(o.request.Header(forwardedFor), ",")
	if o.request.Trigger() == guard.VPCLattice || o.request.HeaderLines(forwardedFor) != 1 || len(all) <= after {
		return ""
	}
	return strings.TrimSpace(all[len(all)-1-after])
}

// parseAddress also reads an address with a port, as load balancers can be set to send.
func parseAddress(text string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr, true
	}
	addr, err := netip.ParseAddrPort(text)
	return addr.Addr(), err == nil
}

// ClientCert returns a rule that the client has a certificate of one of the issuers, in
// the words of the gateway, "CN=Shop CA,O=Example,C=DE", and that its validity has begun
// and has not ended. The gateway verifies certificates when the connection is made; a
// connection can last longer than they do.
//
// It refuses requests of a load balancer, whose headers for certificates a client can
// send too if mutual TLS is off.
//
// ClientCert panics without an issuer, and for an empty one.
func ClientCert(issuers ...string) Rule {
	if len(issuers) == 0 || slices.Contains(issuers, "") {
		panic("origin: ClientCert without an issuer, or with an empty one")
	}
	issuers = slices.Clone(issuers)
	return Rule{judge: func(_ context.Context, o *origin) error {
		if o.request == nil || o.request.Certificate() == nil {
			return refused("ClientCert", notSaid)
		}
		c := o.request.Certificate()
		begin, ok := gatewayTime(c.NotBefore)
		end, ok2 := gatewayTime(c.NotAfter)
		switch {
		case c.IssuerDN == "" || !ok || !ok2:
			return refused("ClientCert", notSaid)
		case !slices.Contains(issuers, c.IssuerDN):
			return refused("ClientCert", foreign)
		case o.now.Before(begin) || o.now.After(end): // RFC 5280, section 4.1.2.5: both included
			return refused("ClientCert", "the certificate is not valid now")
		default:
			return nil
		}
	}}
}

// gatewayTime reads the time of a certificate as API Gateway writes it: "May 28
// 12:30:02 2019 GMT".
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func gatewayTime(text string) (time.Time, bool) {
	bare, ok := strings.CutSuffix(text, " GMT")
	t, err := time.Parse("Jan _2 15:04:05 2006", bare)
	return t, ok && err == nil
}
