package gateway

import "github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"

// Matching is the form of a path that is compared with the fixed segments of
// routes. AWS does not document it; published observations are of the path in the
// event.
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

// DomainPath is the form of the path in an HTTP API's event at a custom domain. The
// published observations differ.
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

// CheckRoute returns an error unless key is a route key. That is "$default", or a method or
// ANY, a space and a path. Segments of the path may be variables, "{id}", and the last may be
// greedy, "{proxy+}". See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func CheckRoute(key string) error {
	_, err := route.Parse(key)
	return err
}
