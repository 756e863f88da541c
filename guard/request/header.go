package request

import (
	"bytes"
	"cmp"
	nethttp "net/http"
	"strings"
)

// Header returns the value of a header, its name in any case, "" if there is
// none. Several lines are joined by a comma, cookies by a semicolon. They are
// never split again.
func (r *Request) Header(name string) string {
	value, count := r.header(name)
	if !sameName(name, "cookie") {
		return value
	}
	apart := strings.Join(r.values(cookies), "; ")
	if apart != "" && count > 0 && apart != value {
		return apart + "; " + value
	}
	return cmp.Or(apart, value)
}

// HeaderLines returns how many lines, or spellings, a header came in.
func (r *Request) HeaderLines(name string) int {
	_, count := r.header(name)
	return count
}

func (r *Request) header(name string) (value string, count int) {
	of := r.headerMember()
	var room [4]line
	found := room[:0]
	for _, p := range r.pairs {
		if p.of == of && r.spells(p, name) {
			found = append(found, line{name: unquote(r.slice(p.name)), value: unquote(r.slice(p.value))})
		}
	}
	switch len(found) {
	case 0:
		return "", 0
	case 1:
		return found[0].value, 1
	default:
		return combine(found)[0].Value, len(found)
	}
}

// spells reports whether a header line has a name in some spelling.
func (r *Request) spells(p pair, name string) bool {
	quoted := r.slice(p.name)
	if bytes.IndexByte(quoted, '\\') >= 0 {
		return sameName(unquote(quoted), name)
	}
	return sameName(string(plainText(quoted)), name)
}

// headerMember returns where the headers are. Lists of values say more.
func (r *Request) headerMember() member {
	switch {
	case r.trigger == AppSync:
		return resolverHeaders
	case r.has(multiValueHeaders):
		return multiValueHeaders
	case r.has(requestHeaders):
		return requestHeaders
	default:
		return headers
	}
}

// Headers returns each header once, by name in lower case. Cookies that a gateway
// has taken out of the headers are not in it.
func (r *Request) Headers() []Field {
	found := make([]line, 0, 16)
	for name, value := range r.all(r.headerMember()) {
		found = append(found, line{name: name, value: value})
	}
	return combine(found)
}

// Cookies returns the cookies as they were sent, each like "name=value", from the
// list of the event and from the header.
func (r *Request) Cookies() []string {
	all := r.values(cookies)
	header, _ := r.header("cookie")
	for c := range strings.SplitSeq(header, ";") {
		if c = strings.TrimSpace(c); c != "" {
			all = append(all, c)
		}
	}
	return all
}

// Cookie returns the value of the first cookie of a name. ok is false if there is
// none.
func (r *Request) Cookie(name string) (value string, ok bool) {
	for part := range strings.SplitSeq(strings.Join(r.Cookies(), ";"), ";") {
		if found, err := nethttp.ParseCookie(part); err == nil && found[0].Name == name {
			return found[0].Value, true
		}
	}
	return "", false
}
