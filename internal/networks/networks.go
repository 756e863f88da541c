// Package networks reads lists of IP networks.
package networks

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// List is a list of networks.
type List []netip.Prefix

var errNone = reason.New("without a network")

// Parse reads networks and single addresses: "192.0.2.0/24", "2001:db8::1". The
// error quotes a text that is malformed, has bits beyond its length, a zone, or maps
// IPv4 into IPv6.
func Parse(texts ...string) (List, error) {
	if len(texts) == 0 {
		return nil, errNone
	}
	list := make(List, len(texts))
	for i, text := range texts {
		full := text
		if addr, err := netip.ParseAddr(text); err == nil {
			full = fmt.Sprintf("%s/%d", text, addr.BitLen())
		}
		prefix, err := netip.ParsePrefix(full)
		if err != nil || prefix != prefix.Masked() || prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("with %q, which is no network or has bits beyond its length", text)
		}
		list[i] = prefix
	}
	return list, nil
}

// Contains reports whether an address is in one of the networks. An IPv4 address that
// is mapped into IPv6 is the IPv4 address. An address with a zone is in none.
func (l List) Contains(addr netip.Addr) bool {
	addr = addr.Unmap()
	return slices.ContainsFunc(l, func(p netip.Prefix) bool { return p.Contains(addr) })
}
