package main

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// notForWebPages refuses what a web page of another host makes its visitor's browser send:
// a request across origins, and one by a public name that leads to this machine (DNS
// rebinding).
func notForWebPages(next http.Handler) http.Handler {
	var origins http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := origins.Check(r)
		switch {
		case err != nil:
			answer(w, http.StatusForbidden, map[string]string{"message": err.Error()})
		case !private(r.Host):
			answer(w, http.StatusForbidden, map[string]string{"message": "the name in the URL may be a public one: use an address, or localhost"})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// private reports whether a host cannot be a name in the public DNS: an address, a name
// without a dot, or one under localhost or internal.
func private(host string) bool {
	name := strings.ToLower((&url.URL{Host: host}).Hostname())
	return net.ParseIP(name) != nil || !strings.Contains(name, ".") || strings.HasSuffix(name, ".localhost") || strings.HasSuffix(name, ".internal")
}
