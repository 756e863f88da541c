package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// RESTAPIConfig describes a REST API with a Lambda proxy integration.
type RESTAPIConfig struct {
	// Routes are methods and resources: "GET /orders/{id}", "ANY /{proxy+}". All
	// requests go to the function when it is empty. There is no $default.
	Routes []string

	// Stage is the deployed stage's name; "prod" when empty.
	Stage string

	// StageInPath makes it the API's execute-api address, where the stage is the
	// first segment of the path: of requestContext.path too, but not of path. A
	// request to another stage is 403. With BasePath, it is a mapping that names no
	// stage, and path has it as well.
	// See https://github.com/localstack/localstack/pull/12296
	StageInPath bool

	// BasePath is that of the mapping of a custom domain, "v1" or "shop/v1". It is
	// in path and in requestContext.path. A request under another one is 403.
	// See https://github.com/aws/serverless-java-container/issues/34
	BasePath string

	// Matching of resources; [MatchSent] when empty.
	Matching Matching

	// DecodedParameters has path parameters decoded. They come as they were sent by
	// https://github.com/aws/aws-sam-cli/issues/3524 and decoded by
	// https://github.com/dherault/serverless-offline/issues/265. Of a path that is
	// matched by [MatchDecoded] they are decoded anyway.
	DecodedParameters bool

	// StageVariables of the stage; none when nil.
	StageVariables map[string]string

	// Authorizer, IAM and UserPool decide which requests reach the function. At most
	// one is not nil.
	Authorizer *RESTAuthorizer
	IAM        *IAMAuthorizer
	UserPool   *UserPoolAuthorizer

	// Timeout of the integration; 29 seconds when 0. It counts while a request
	// waits for a free process, too.
	Timeout time.Duration

	// Failed, when not nil, is told of every request that the function did not
	// properly answer. The client's leaving is no failure.
	Failed func(requestID string, err error)
}

// RESTAPI is a REST API of API Gateway in front of one function: an
// [http.Handler] that turns requests into events and the function's answers
// into responses. Safe for concurrent use.
//
// The path is as it was sent; slashes before it count as one, and "/orders/" is
// of the resource "/orders". The method is a part of what is matched: a more
// general resource steps in for one that lacks it. What no resource matches is
// 403. The names of headers are as the client sent them, but for Authorization;
// net/http's server has brought them into their canonical form.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type RESTAPI struct {
	fn      guardtest.Invoker
	cfg     RESTAPIConfig
	address address
	routes  []Route  // in the order in which they are tried
	gate    admitter // nil when all may pass
}

// maxMethodARN is the limit in bytes on the ARN of a request to a REST API with
// an authorizer.
const maxMethodARN = 1600

// NewRESTAPI returns an API that calls fn. It fails when a route is not one of
// a REST API, two resources are the same, or the authorizer cannot be.
func NewRESTAPI(fn guardtest.Invoker, cfg RESTAPIConfig) (*RESTAPI, error) {
	if fn == nil {
		return nil, errors.New("gateway: a REST API needs a function")
	}
	cfg.Stage = cmp.Or(cfg.Stage, "prod")
	cfg.Timeout = cmp.Or(cfg.Timeout, 29*time.Second)
	cfg.Matching = cmp.Or(cfg.Matching, MatchSent)
	if !cfg.Matching.valid() {
		return nil, fmt.Errorf("gateway: matching %q is none", cfg.Matching)
	}
	if len(cfg.Routes) == 0 {
		cfg.Routes = []string{"ANY /", "ANY /{proxy+}"}
	}
	api := &RESTAPI{fn: fn, cfg: cfg, address: newAddress(cfg.Stage, cfg.StageInPath, cfg.BasePath)}
	var err error
	if api.routes, err = parseRoutes(cfg.Routes); err != nil {
		return nil, err
	}
	resources := map[string]string{} // by shape
	for _, route := range api.routes {
		if route.key == defaultRouteKey {
			return nil, errors.New("gateway: a REST API has no $default route")
		}
		shape := Route{segments: route.segments, greedy: route.greedy}.shape()
		if other, ok := resources[shape]; ok && other != route.path() {
			return nil, fmt.Errorf("gateway: resources %q and %q match the same paths", other, route.path())
		}
		resources[shape] = route.path()
	}
	if api.gate, err = cfg.newGate(api.routes); err != nil {
		return nil, err
	}
	return api, nil
}

func (cfg RESTAPIConfig) newGate(routes []Route) (admitter, error) {
	switch {
	case cfg.Authorizer != nil && cfg.IAM != nil, cfg.IAM != nil && cfg.UserPool != nil, cfg.UserPool != nil && cfg.Authorizer != nil:
		return nil, errors.New("gateway: an API has one authorizer")
	case cfg.Authorizer != nil:
		return newRESTGate(*cfg.Authorizer)
	case cfg.IAM != nil:
		return newIAMGate(*cfg.IAM, "execute-api")
	case cfg.UserPool != nil:
		return newPoolGate(*cfg.UserPool, routes)
	default:
		return nil, nil
	}
}

// ServeHTTP takes a request through the steps of API Gateway.
func (a *RESTAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amzn-Requestid", ids.UUID())
	resource, ok := a.resource(sentPath(r))
	if !ok {
		refuseREST(w, http.StatusForbidden, "ForbiddenException", "Forbidden")
		return
	}
	route, variables, ok := firstMatch(a.routes, r.Method, a.segments(resource))
	if !ok {
		refuseREST(w, http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
		return
	}
	req, err := newRequest(w, r, maxBody)
	if err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			refuseREST(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", "Request Too Long")
			return
		}
		refuseREST(w, http.StatusBadRequest, "BadRequestException", "Bad Request") // or the client is gone
		return
	}
	req.id = w.Header().Get("X-Amzn-Requestid")
	req.header.Del("Content-Length")
	req.route, req.variables, req.paths = route, variables, a.paths(r, resource)
	req.stage, req.stageVariables = a.cfg.Stage, a.cfg.StageVariables
	if !a.admit(w, req) {
		return
	}
	result, err := a.invoke(r.Context(), req)
	if err == nil {
		var answer response
		if answer, err = parseResponse1(result.Payload); err == nil {
			if answer.header.Get("Content-Type") == "" {
				answer.header.Set("Content-Type", "application/json")
			}
			answer.write(w, "X-Amz-Apigw-Id", req.extended)
			return
		}
	}
	if r.Context().Err() == nil {
		a.fail(w, result.RequestID, err)
	}
}

// resource is the path of the resource. Slashes before it count as one.
// See https://github.com/localstack/localstack/issues/11253
func (a *RESTAPI) resource(sent string) (resource string, ok bool) {
	resource, ok = a.address.resource(sent)
	return "/" + strings.TrimLeft(resource, "/"), ok
}

// segments are those that are matched: a slash at the end does not count, of a
// greedy variable either.
//
// See https://github.com/aws/aws-sam-cli/pull/1495,
// https://github.com/vendia/serverless-express/issues/391 and the recorded events of
// https://github.com/localstack/localstack/blob/0ae53b67250fe7928bbb93be5adbe3848e4d32cd/tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json
func (a *RESTAPI) segments(resource string) []segment {
	resource = strings.TrimRight(resource, "/")
	fixed, value := asItIs, asItIs
	switch a.cfg.Matching {
	case MatchDecoded:
		resource = strings.TrimRight(unescaped(resource), "/")
	case MatchSegments:
		fixed = unescaped
	}
	if a.cfg.DecodedParameters && a.cfg.Matching != MatchDecoded {
		value = unescaped
	}
	return segmentsOf(resource, fixed, value)
}

// paths are as sent. The stage of the execute-api address is in that of the
// request context alone.
//
// See https://github.com/localstack/localstack/pull/11304 and
// https://github.com/localstack/localstack/pull/12296
func (a *RESTAPI) paths(r *http.Request, resource string) paths {
	p := paths{event: resource, context: sentPath(r), resource: resource}
	if a.address.basePath != "" {
		p.event = p.context
	}
	return p
}

func (a *RESTAPI) admit(w http.ResponseWriter, req *request) bool {
	if a.gate == nil {
		return true
	}
	if len(req.arn()) > maxMethodARN {
		refuseREST(w, http.StatusRequestURITooLong, "", "Request URI too long")
		return false
	}
	ctx := req.http.Context()
	err := a.gate.admit(ctx, req)
	if err != nil && ctx.Err() == nil { // or the client is gone
		answerRESTRefusal(w, err)
	}
	return err == nil && ctx.Err() == nil
}

func (a *RESTAPI) invoke(ctx context.Context, req *request) (guardtest.Result, error) {
	ctx, done := waitAtMost(ctx, a.cfg.Timeout, errIntegrationTimeout)
	defer done()
	return a.fn.Do(ctx, guardtest.Call{Payload: marshal(req.restEvent()), TraceID: req.trace})
}

func (a *RESTAPI) fail(w http.ResponseWriter, requestID string, err error) {
	if a.cfg.Failed != nil {
		a.cfg.Failed(requestID, err)
	}
	switch {
	case errors.Is(err, guardtest.ErrTooLarge):
		refuseREST(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", "Request Too Long")
	case errors.Is(err, errIntegrationTimeout):
		refuseREST(w, http.StatusGatewayTimeout, "InternalServerErrorException", "Endpoint request timed out")
	default:
		refuseREST(w, http.StatusBadGateway, "InternalServerErrorException", "Internal server error")
	}
}

// refuseREST answers in API Gateway's own words.
func refuseREST(w http.ResponseWriter, status int, errorType string, message any) {
	if errorType != "" {
		w.Header().Set("X-Amzn-Errortype", errorType)
	}
	answerJSON(w, status, map[string]any{"message": message})
}
