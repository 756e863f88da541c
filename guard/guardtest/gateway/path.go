package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// Matching says what of a path is compared with the fixed segments of routes.
// AWS does not document it; the published observations are those of the path in
// the event.
type Matching string

const (
	// MatchDecoded compares the decoded path: "/%61dmin" is of "GET /admin", and
	// an escaped slash separates segments.
	MatchDecoded Matching = "decoded"

	// MatchSegments splits the path as sent and decodes each segment: "/%61dmin"
	// is of "GET /admin", and an escaped slash belongs to its segment.
	MatchSegments Matching = "segments"

	// MatchSent compares the path as sent: "/%61dmin" is not of "GET /admin".
	MatchSent Matching = "sent"
)

func (m Matching) valid() bool { return m == MatchDecoded || m == MatchSegments || m == MatchSent }

// DomainPath says what an HTTP API's event has as the path of a request to a
// custom domain. The published observations differ.
type DomainPath string

const (
	// PathAsSent keeps the base path.
	// See https://github.com/KensioSoftware/yulin/pull/1037
	PathAsSent DomainPath = "sent"

	// PathOfResource is the path of the route alone.
	// See https://github.com/logandk/serverless-wsgi/issues/191 and
	// https://github.com/aws-powertools/powertools-lambda-python/issues/576
	PathOfResource DomainPath = "resource"

	// PathWithStage has a named stage in place of the base path.
	// See https://github.com/CodeGenieApp/serverless-express/issues/465
	PathWithStage DomainPath = "stage"
)

func (p DomainPath) valid() bool {
	return p == PathAsSent || p == PathOfResource || p == PathWithStage
}

// An address is where an API is reached: at its execute-api address, where the
// stage is the first segment, or at a custom domain, under a base path.
type address struct {
	stage       string
	stageInPath bool
	basePath    string // "" or "/v1"
}

func newAddress(stage string, stageInPath bool, basePath string) address {
	if basePath = strings.Trim(basePath, "/"); basePath != "" {
		basePath = "/" + basePath
	}
	return address{stage, stageInPath && stage != defaultStage, basePath}
}

// prefix is what stands before the path of a resource.
func (a address) prefix() string {
	if a.stageInPath {
		return a.basePath + "/" + a.stage
	}
	return a.basePath
}

// resource takes the prefix off.
func (a address) resource(path string) (resource string, ok bool) {
	rest, ok := strings.CutPrefix(path, a.prefix())
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	if rest == "" {
		rest = "/"
	}
	return rest, true
}

// paths are those of one request.
type paths struct {
	event    string // rawPath, or path
	context  string // requestContext.http.path, or requestContext.path
	resource string // what a policy names the request by
}

// sentPath is the path as the client sent it.
func sentPath(r *http.Request) string {
	if path := r.URL.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

// decodedPath is the path as an HTTP API has it: decoded once, and cut where
// that has brought forth a question mark. Several slashes become one.
//
// See https://github.com/honojs/hono/issues/2156,
// https://github.com/middleapi/standard-server/pull/93 and
// https://github.com/brefphp/symfony-bridge/issues/53
func decodedPath(u *url.URL, keepSlashes bool) string {
	path, _, _ := strings.Cut(u.Path, "?")
	if !keepSlashes {
		path = oneSlash(path)
	}
	if path == "" {
		return "/"
	}
	return path
}

func oneSlash(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// A segment is a part of a path between slashes.
type segment struct {
	fixed string // is compared with the fixed segments of routes
	value string // is what a variable takes
}

// segmentsOf splits a path. An escape that is none stays as it is.
func segmentsOf(path string, fixed, value func(string) string) []segment {
	if path == "/" || path == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	segments := make([]segment, len(parts))
	for i, part := range parts {
		segments[i] = segment{fixed(part), value(part)}
	}
	return segments
}

func asItIs(part string) string { return part }

func unescaped(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		return plain
	}
	return part
}
