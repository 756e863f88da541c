package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Gateway is how paths are read where a policy is used.
type Gateway int

const (
	// HTTPAPI matches routes against a path that it has decoded.
	HTTPAPI Gateway = iota
	// RESTAPI matches resources, and ignores a slash at the end of a path.
	RESTAPI
	// RESTToken is a REST API with an authorizer of type TOKEN. The authorizer
	// finds the route by the path, as its event does not name it.
	RESTToken
)

// Route is a route of an API, for one method.
type Route struct {
	Key     string // "ANY /orders/{id}", "$default"; "" for the calls of no listed route
	Method  string // "GET"
	Granted bool
}

// OverlapError is returned if no policy can allow one route without another.
type OverlapError struct {
	Granted string // the key of the route to allow; "" for the calls of no listed route
	Refused string // what would be allowed as well
}

func (e *OverlapError) Error() string {
	granted := e.Granted
	if granted == "" {
		granted = "what is in no table"
	}
	return "no policy allows " + granted + " without " + e.Refused
}

var errRouteKey = reason.New("policy: a route with a malformed key: write it as \"GET /orders/{id}\"")

// AllowRoutes allows the granted routes of a stage, and none of the others. A route
// without parameters is allowed by its path, and one with parameters as "prefix/*".
// Paths of a refused route below the prefix are denied, in every spelling. The error
// is an [*OverlapError] if no policy can do that. Only the stage of the ARN is used,
// not its method and path.
func (d *Document) AllowRoutes(stage ARN, routes []Route, g Gateway) error {
	c := &cover{d, stage, g, make([]route, len(routes))}
	for i, r := range routes {
		parsed, ok := routekey.Other(), true
		if r.Key != "" {
			parsed, ok = routekey.Parse(r.Key)
		}
		if !ok {
			return errRouteKey
		}
		c.routes[i] = route{parsed, r.Method, r.Granted}
	}
	for _, r := range c.routes {
		if r.granted {
			if err := c.grant(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// cover writes a document for the routes of a stage.
type cover struct {
	*Document
	stage   ARN
	gateway Gateway
	routes  []route
}

type route struct {
	*routekey.Route
	method  string
	granted bool
}

// grant allows a route by its path, or by "prefix/*" up to its first parameter, and
// denies the refused routes below the prefix.
func (c *cover) grant(r route) error {
	a := c.stage
	a.Method, a.Path = r.method, r.Path(r.Literals())
	if r.Fixed() {
		return c.grantPath(a)
	}
	if err := c.AllowBelow(a); err != nil {
		return err
	}
	var below []route // what "prefix/*" matches as well
	for _, other := range c.routes {
		if other.Key != "" && other.Shape() != r.Shape() && other.method == r.method && other.Below(r.Route) {
			below = append(below, other)
		}
	}
	if r.Key != "" {
		if err := c.denyReadings(r, below); err != nil {
			return err
		}
	}
	for _, other := range below {
		if err := c.denyBelow(r, other); err != nil {
			return err
		}
	}
	return nil
}

func (c *cover) grantPath(a ARN) error {
	if a.Path == "" {
		a.Path = "/"
	} else if c.gateway != HTTPAPI {
		slash := a
		slash.Path += "/"
		if err := c.Allow(slash); err != nil {
			return err
		}
	}
	return c.Allow(a)
}

// denyReadings denies ambiguous paths below a route with a parameter: one reader
// could take them for another route. An authorizer that finds routes by the path
// refuses them too.
func (c *cover) denyReadings(r route, below []route) error {
	byPath := c.gateway == RESTToken
	if !byPath && !(r.CatchAll() && len(below) > 0) {
		refused := func(other route) bool { return !other.granted && other.method == r.method }
		if slices.ContainsFunc(c.routes, refused) {
			c.denyDetours() // a gateway might remove them
		}
		return nil
	}
	// A backslash; then a percent sign, a backslash, a slash, a dot or a control
	// character that is escaped.
	c.denyPatterns(c.stage, `*\*`, "*%25*", "*%5C*", "*%5c*", "*%2F*", "*%2f*", "*%2E*", "*%2e*", "*%0?*", "*%1?*", "*%7F*", "*%7f*")
	c.denyDetours()
	if c.gateway == HTTPAPI { // its events have the path decoded, the ARN may not
		c.denyPatterns(c.stage, "*%*")
	}
	c.denyEscapes(r, r)
	for _, other := range below {
		c.denyEscapes(r, other)
	}
	if byPath {
		return c.denyBare(r, below)
	}
	return nil
}

// denyDetours denies paths with empty segments and dot segments.
func (c *cover) denyDetours() {
	c.denyPatterns(c.stage, "*//*", "*/./*", "*/../*", "*/.", "*/..")
}

// denyEscapes denies paths that escape a character in a literal of other, if the
// literal is below the prefix of r. A reader could take such a path for one of
// other.
func (c *cover) denyEscapes(r, other route) {
	for i := r.Literals(); i < other.Len(); i++ {
		text, ok := other.Literal(i)
		if !ok {
			continue
		}
		for _, b := range []byte(text + "%./") {
			for _, format := range []string{"*%%%X%X*", "*%%%x%x*", "*%%%X%x*", "*%%%x%X*"} {
				c.denyPatterns(c.stage, fmt.Sprintf(format, b>>4, b&0xf))
			}
		}
	}
}

// denyBare denies the prefix of a parameter with a slash at its end, and of a
// greedy parameter also without the slash. No table finds a route for such a path,
// unless another granted route has it.
func (c *cover) denyBare(r route, below []route) error {
	if bare := r.Path(r.Literals()); bare != "" && !c.grants(r.method, bare) {
		c.denyPatterns(c.stage, r.method+bare+"/")
	}
	for _, other := range append(below, r) {
		n := other.Len() - 1
		if n < 1 || !other.CatchAll() {
			continue
		}
		if other.Literals() < n {
			if other.Route == r.Route {
				continue
			}
			return &OverlapError{r.Key, "the path in front of the last parameter of " + other.Key}
		}
		if bare := other.Path(n); !c.grants(r.method, bare) {
			c.denyPatterns(c.stage, r.method+bare, r.method+bare+"/")
		}
	}
	return nil
}

// grants reports whether a granted route matches a path, other than with a greedy
// parameter.
func (c *cover) grants(method, path string) bool {
	segments := strings.Split(path[1:], "/")
	return slices.ContainsFunc(c.routes, func(r route) bool {
		if !r.granted || r.method != method || r.Key == "" || r.CatchAll() || r.Len() != len(segments) {
			return false
		}
		for i, segment := range segments {
			if text, ok := r.Literal(i); ok && text != segment {
				return false
			}
		}
		return true
	})
}

// denyBelow denies the paths of a refused route that "prefix/*" for r would allow.
func (c *cover) denyBelow(r, other route) error {
	switch {
	case other.granted:
		return nil
	case !other.Fixed() || r.CatchAll():
		return &OverlapError{r.Key, other.Key}
	}
	a := c.stage
	a.Method, a.Path = other.method, other.Path(other.Len())
	if other.Len() > r.Literals() {
		c.denyEscapes(r, other)
	} else { // an escaped slash may be one at the end
		c.denyPatterns(c.stage, a.Method+a.Path+"/%2F*", a.Method+a.Path+"/%2f*")
	}
	if a.Path == "" {
		a.Path = "/"
		return c.Deny(a)
	}
	if err := c.Deny(a); err != nil {
		return err
	}
	a.Path += "/"
	return c.Deny(a)
}
