package authorizer

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// methods are those that API Gateway has routes for.
var methods = [...]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

const anyMethod = "ANY"

// pattern is a route: a method, or ANY, and a path's template; or a route
// without either, "$default" and "$connect".
type pattern struct {
	key      string // as the gateway writes it, "" of what is in no table
	method   string // "" of $default and $connect
	segments []segment
}

// segment is a part of a path between slashes.
type segment struct {
	literal string // "" of a parameter
	greedy  bool   // the parameter takes all that is left
}

func (s segment) parameter() bool { return s.literal == "" }

// parsePattern reads a route key. What the gateway would not take as a route
// is no pattern.
func parsePattern(key string) (*pattern, bool) {
	if strings.HasPrefix(key, "$") {
		return &pattern{key: key}, key == "$default" || key == "$connect"
	}
	method, template, ok := strings.Cut(key, " ")
	if !ok || method != anyMethod && !slices.Contains(methods[:], method) || !strings.HasPrefix(template, "/") {
		return nil, false
	}
	p := &pattern{key: key, method: method}
	if template == "/" {
		return p, true
	}
	for text := range strings.SplitSeq(template[1:], "/") {
		if len(p.segments) > 0 && p.segments[len(p.segments)-1].greedy {
			return nil, false // only the last one can be
		}
		name, braced := strings.CutPrefix(text, "{")
		if !braced {
			if text == "" || strings.ContainsAny(text, "{}*?%") {
				return nil, false
			}
			p.segments = append(p.segments, segment{literal: text})
			continue
		}
		name, closed := strings.CutSuffix(name, "}")
		name, greedy := strings.CutSuffix(name, "+")
		if !closed || name == "" || strings.ContainsAny(name, "{}+") {
			return nil, false
		}
		p.segments = append(p.segments, segment{greedy: greedy})
	}
	return p, true
}

// shape is the same for routes that differ in the names of parameters alone,
// which the gateway does not tell apart.
func (p *pattern) shape() string {
	if p.method == "" {
		return p.key
	}
	return p.method + " " + p.template()
}

func (p *pattern) template() string {
	if p.method == "" {
		return p.key
	}
	if len(p.segments) == 0 {
		return "/"
	}
	var b strings.Builder
	for _, s := range p.segments {
		b.WriteByte('/')
		switch {
		case s.greedy:
			b.WriteString("{+}")
		case s.parameter():
			b.WriteString("{}")
		default:
			b.WriteString(s.literal)
		}
	}
	return b.String()
}

// literals counts the segments before the first parameter.
func (p *pattern) literals() int {
	for i, s := range p.segments {
		if s.parameter() {
			return i
		}
	}
	return len(p.segments)
}

// fixed reports whether the route has one path alone.
func (p *pattern) fixed() bool { return p.method != "" && p.literals() == len(p.segments) }

// listed reports whether the route is one of a table.
func (p *pattern) listed() bool { return p.key != "" }

// catchAll reports whether the route takes paths of any length.
func (p *pattern) catchAll() bool {
	return p.key == "$default" || !p.listed() || len(p.segments) > 0 && p.segments[len(p.segments)-1].greedy
}

// standard is the path in net/http's patterns.
func (p *pattern) standard() string {
	if len(p.segments) == 0 {
		return "/{$}"
	}
	var b strings.Builder
	for i, s := range p.segments {
		switch {
		case s.greedy:
			fmt.Fprintf(&b, "/{p%d...}", i)
		case s.parameter():
			fmt.Fprintf(&b, "/{p%d}", i)
		default:
			b.WriteString("/" + s.literal)
		}
	}
	return b.String()
}

// sharesMethod reports whether a request of q's method can be one of p's.
func (p *pattern) sharesMethod(q *pattern) bool {
	return p.method == anyMethod || q.method == anyMethod || p.method == q.method ||
		p.method == http.MethodHead && q.method == http.MethodGet
}

// before reports whether the gateway tries p before q where both take a call:
// a literal before a parameter, that before a greedy one, $default last, and
// of one path the method before ANY.
func (p *pattern) before(q *pattern) bool {
	if p.key == "$default" || q.key == "$default" {
		return q.key == "$default" && p.key != q.key
	}
	for i := range min(len(p.segments), len(q.segments)) {
		if a, b := p.segments[i].rank(), q.segments[i].rank(); a != b {
			return a < b
		}
	}
	return p.method != anyMethod && q.method == anyMethod
}

func (s segment) rank() int {
	switch {
	case s.greedy:
		return 2
	case s.parameter():
		return 1
	default:
		return 0
	}
}
