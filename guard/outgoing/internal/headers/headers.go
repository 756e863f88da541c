// Package headers copies the header of a request that must not be changed.
package headers

import "net/http"

// Copy returns a copy of h that is never nil. A name that was set in another case, past
// the methods of [http.Header], is found by its canonical one.
func Copy(h http.Header) http.Header {
	all := make(http.Header, len(h)+4)
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		all[name] = append(all[name], values...)
	}
	return all
}
