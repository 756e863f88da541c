package route

import (
	"net/http"
	"net/url"
	"strings"
)

// An Address is where an API is reached: at its execute-api address, where the
// stage is the first segment, or at a custom domain, under a base path.
type Address struct {
	BasePath string // "" or "/v1"
	stage    string // "" when it is not in the path
}

// NewAddress describes an API's address.
func NewAddress(stage string, stageInPath bool, basePath string) Address {
	a := Address{BasePath: strings.Trim(basePath, "/")}
	if a.BasePath != "" {
		a.BasePath = "/" + a.BasePath
	}
	if stageInPath && stage != Default {
		a.stage = "/" + stage
	}
	return a
}

// Resource removes the stage or base path in front of a resource's path.
func (a Address) Resource(path string) (resource string, ok bool) {
	rest, ok := strings.CutPrefix(path, a.BasePath+a.stage)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	if rest == "" {
		rest = "/"
	}
	return rest, true
}

// SentResource does the same to a path as it was sent. The stage or base path may
// be escaped, but has segments of its own.
func (a Address) SentResource(path string) (resource string, ok bool) {
	for _, part := range Segments(a.BasePath+a.stage, AsItIs, AsItIs) {
		first, rest, _ := strings.Cut(path[1:], "/")
		if Unescaped(first) != part.fixed {
			return "", false
		}
		path = "/" + rest
	}
	return path, true
}

// Sent returns the path as the client sent it.
func Sent(r *http.Request) string {
	if path := r.URL.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

// Decoded returns the path as an HTTP API has it: decoded once, and cut at a
// decoded question mark. Several slashes become one.
//
// See https://github.com/honojs/hono/issues/2156,
// https://github.com/middleapi/standard-server/pull/93 and
// https://github.com/brefphp/symfony-bridge/issues/53
func Decoded(u *url.URL, keepSlashes bool) string {
	path, _, _ := strings.Cut(u.Path, "?")
	if !keepSlashes {
		path = OneSlash(path)
	}
	if path == "" {
		return "/"
	}
	return path
}

// OneSlash makes one slash of several in a row.
func OneSlash(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// A Segment is a part of a path between slashes.
type Segment struct {
	fixed string // is compared with the fixed segments of routes
	value string // is what a variable takes
}

// Segments splits a path.
func Segments(path string, fixed, value func(string) string) []Segment {
	if path == "/" || path == "" {
		return nil
	}
	var segments []Segment
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		segments = append(segments, Segment{fixed(part), value(part)})
	}
	return segments
}

// AsItIs returns a part of a path unchanged.
func AsItIs(part string) string { return part }

// Unescaped decodes a part of a path. An escape that is none stays as it is.
func Unescaped(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		return plain
	}
	return part
}
