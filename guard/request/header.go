package request

import (
	"bytes"
	"cmp"
	nethttp "net/http"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
)

// Header returns the value of a header, its name in any case, "" if there is
// none. Several lines are joined by a comma, cookies by a semicolon. They are
// never split again.
func (r *Request) Header(name string) string {
	value, count := r.header(name)
	if !fieldlines.Same(name, "cookie") {
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
	var room [4]fieldlines.Line
	lines := room[:0]
	for _, p := range r.pairs {
		if p.of == of && r.spells(p, name) {
			lines = append(lines, r.line(p))
		}
	}
	switch len(lines) {
	case 0:
		return "", 0
	case 1:
		return lines[0].Value, 1
	default:
		return fieldlines.Combine(lines)[0].Value, len(lines)
	}
}

// spells reports whether a header line has a name in some spelling.
func (r *Request) spells(p pair, name string) bool {
	quoted := r.slice(p.name)
	if bytes.IndexByte(quoted, '\\') >= 0 {
		return fieldlines.Same(unquote(quoted), name)
	}
	return fieldlines.Same(string(plainText(quoted)), name)
}

func (r *Request) line(p pair) fieldlines.Line {
	return fieldlines.Line{Name: unquote(r.slice(p.name)), Value: unquote(r.slice(p.value))}
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
func (r *Request) Headers() []fieldlines.Field {
	lines := make([]fieldlines.Line, 0, 16)
	for name, value := range r.all(r.headerMember()) {
		lines = append(lines, fieldlines.Line{Name: name, Value: value})
	}
	return fieldlines.Combine(lines)
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
