// Package hosts decides which hosts may get what others must not see.
package hosts

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// List is a list of host names. "*.internal.example" stands for every name that ends in
// ".internal.example".
type List []string

// MustList returns a list. It panics, with pkg in the text, if one is not a host name,
// an IP address or such a pattern.
func MustList(pkg string, names []string) List {
	list := make(List, len(names))
	for i, name := range names {
		bare := strings.TrimPrefix(name, "*.")
		if !isName(bare) && !isAddress(bare) || bare != name && isAddress(bare) {
			panic(pkg + `: a host must be a name such as "api.internal.example", a pattern such as "*.internal.example" or an IP address, without a scheme, a port or a path`)
		}
		list[i] = strings.ToLower(name)
	}
	return list
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// isName reports whether s consists of letters, digits, hyphens and underscores between
// dots. A name that is not ASCII is written in Punycode.
func isName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		unfit := func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
		}
		if label == "" || len(label) > 63 || strings.IndexFunc(label, unfit) >= 0 {
			return false
		}
	}
	return len(s) <= 253
}

// Has reports whether a request goes to a host of the list, at any port. Both its URL and
// its header Host must say so: one address may serve the hosts of many.
func (l List) Has(r *http.Request) bool {
	return r.URL != nil && l.has(r.URL.Hostname()) && (r.Host == "" || l.has((&url.URL{Host: r.Host}).Hostname()))
}

func (l List) has(host string) bool {
	named := isName(host)
	if !named && !isAddress(host) {
		return false // such as one with İ, which is i in lower case and another name in Punycode
	}
	host = strings.ToLower(host)
	for _, name := range l {
		if suffix, ok := strings.CutPrefix(name, "*"); ok {
			if named && strings.HasSuffix(host, suffix) { // an address may end in a zone
				return true
			}
		} else if host == name {
			return true
		}
	}
	return false
}

// IsPrivate reports whether nobody between can read a request to u: it goes over TLS, or
// does not leave the machine.
func IsPrivate(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (err == nil && addr.IsLoopback() || u.Hostname() == "localhost")
}
