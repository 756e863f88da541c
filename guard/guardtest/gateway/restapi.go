package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/answer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// RESTAPIConfig describes a REST API with a Lambda proxy integration.
type RESTAPIConfig struct {
	// Routes are methods and resources: "GET /orders/{id}", "ANY /{proxy+}". All
	// requests reach the function when it is empty. There is no $default.
	Routes []string

	// Stage is the name of the deployed stage; "prod" when empty.
	Stage string

	// StageInPath makes it the API's execute-api address. There the stage is the
	// first segment of the path, of requestContext.path too, but not of path. A
	// request to another stage is 403. With BasePath, it is a mapping that names no
	// stage, and path has it as well.
	// See https://github.com/localstack/localstack/pull/12296
	StageInPath bool

	// BasePath is mapped at a custom domain, "v1" or "shop/v1". It is in path and in
	// requestContext.path. A request under another one is 403.
	// See https://github.com/aws/serverless-java-container/issues/34
	BasePath string

	// Matching of resources; [MatchSent] when empty.
	Matching Matching

	// DecodedParameters decodes path parameters, which are otherwise as they were
	// sent. Public sources disagree: as sent by
	// https://github.com/aws/aws-sam-cli/issues/3524, decoded by
	// https://github.com/dherault/serverless-offline/issues/265. [MatchDecoded]
	// decodes them anyway.
	DecodedParameters bool

	// StageVariables of the stage; none when nil.
	StageVariables map[string]string

	// Authorizer, IAM and UserPool decide which requests reach the function. At most
	// one is not nil.
	Authorizer *RESTAuthorizer
	IAM        *IAMAuthorizer
	UserPool   *UserPoolAuthorizer

	// Timeout of the integration; 29 seconds when 0. It includes the wait for a free
	// process.
	Timeout time.Duration

	// Failed, when not nil, is called for every request that the function did not
	// properly answer. It is not called when the client has left.
	Failed func(requestID string, err error)
}

// RESTAPI is a REST API of API Gateway in front of one function, an [http.Handler].
// It is safe for concurrent use.
//
// The path is as it was sent. Slashes before it count as one, and "/orders/" takes
// the resource "/orders". A resource that lacks the method is passed over, so a more
// general one may be taken. A request without a resource is 403. Names of headers
// are as the client sent them, but for Authorization; net/http's server has brought
// them into their canonical form.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type RESTAPI struct {
	fn      guardtest.Invoker
	cfg     RESTAPIConfig
	address route.Address
	routes  []route.Route // in the order in which they are tried
	gate    admitter      // nil when all may pass
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
	api := &RESTAPI{fn: fn, cfg: cfg, address: route.NewAddress(cfg.Stage, cfg.StageInPath, cfg.BasePath)}
	var err error
	if api.routes, err = route.ParseAll(cfg.Routes); err != nil {
		return nil, err
	}
	for i, r := range api.routes {
		if r.Key == route.Default {
			return nil, errors.New("gateway: a REST API has no $default route")
		}
		for _, other := range api.routes[:i] {
			if r.SamePaths(other) && r.Path() != other.Path() {
				return nil, fmt.Errorf("gateway: resources %q and %q match the same paths", other.Path(), r.Path())
			}
		}
	}
	if api.gate, err = cfg.newGate(api.routes); err != nil {
		return nil, err
	}
	return api, nil
}

func (cfg RESTAPIConfig) newGate(routes []route.Route) (admitter, error) {
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
	resource, ok := a.resource(route.Sent(r))
	if !ok {
		refuseREST(w, http.StatusForbidden, "ForbiddenException", "Forbidden")
		return
	}
	taken, variables, ok := route.First(a.routes, r.Method, a.segments(resource))
	if !ok {
		refuseREST(w, http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
		return
	}
	req, status := event.Read(w, r, maxBody)
	switch status {
	case http.StatusRequestEntityTooLarge:
		refuseREST(w, status, "RequestTooLargeException", "Request Too Long")
		return
	case http.StatusBadRequest:
		refuseREST(w, status, "BadRequestException", "Bad Request")
		return
	}
	req.ID = w.Header().Get("X-Amzn-Requestid")
	req.Header.Del("Content-Length")
	req.Route, req.Variables, req.Paths = taken, variables, a.paths(r, resource)
	req.Stage, req.StageVariables = a.cfg.Stage, a.cfg.StageVariables
	if !a.admit(w, req) {
		return
	}
	got, requestID, err := invoke(a.fn, req, req.REST(), a.cfg.Timeout, func(result guardtest.Result) (answer.Response, error) {
		return answer.Parse1(result.Payload)
	})
	switch {
	case err == nil:
		got.Header.Set("X-Amz-Apigw-Id", req.Extended)
		if got.Header.Get("Content-Type") == "" {
			got.Header.Set("Content-Type", "application/json")
		}
		got.Write(w, "")
	case r.Context().Err() == nil: // or else the client is gone
		a.fail(w, requestID, err)
	}
}

// resource is the path of the resource. Slashes before it count as one.
// See https://github.com/localstack/localstack/issues/11253
func (a *RESTAPI) resource(sent string) (resource string, ok bool) {
	resource, ok = a.address.Resource(sent)
	return "/" + strings.TrimLeft(resource, "/"), ok
}

// segments are the segments to match: a slash at the end is ignored, also in a
// greedy variable.
//
// See https://github.com/aws/aws-sam-cli/pull/1495,
// https://github.com/vendia/serverless-express/issues/391 and the recorded events of
// https://github.com/localstack/localstack/blob/0ae53b67250fe7928bbb93be5adbe3848e4d32cd/tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json
func (a *RESTAPI) segments(resource string) []route.Segment {
	resource = strings.TrimRight(resource, "/")
	fixed, value := route.AsItIs, route.AsItIs
	switch a.cfg.Matching {
	case MatchDecoded:
		resource = strings.TrimRight(route.Unescaped(resource), "/")
	case MatchSegments:
		fixed = route.Unescaped
	}
	if a.cfg.DecodedParameters && a.cfg.Matching != MatchDecoded {
		value = route.Unescaped
	}
	return route.Segments(resource, fixed, value)
}

// paths are as sent. The stage of the execute-api address is in the request
// context's path alone.
//
// See https://github.com/localstack/localstack/pull/11304 and
// https://github.com/localstack/localstack/pull/12296
func (a *RESTAPI) paths(r *http.Request, resource string) event.Paths {
	p := event.Paths{Event: resource, Context: route.Sent(r), Resource: resource}
	if a.address.BasePath != "" {
		p.Event = p.Context
	}
	return p
}

func (a *RESTAPI) admit(w http.ResponseWriter, req *event.Request) bool {
	if a.gate == nil {
		return true
	}
	if len(req.ARN()) > maxMethodARN {
		refuseREST(w, http.StatusRequestURITooLong, "", "Request URI too long")
		return false
	}
	ctx := req.HTTP.Context()
	err := a.gate.admit(ctx, req)
	if err != nil && ctx.Err() == nil { // or the client is gone
		answerRESTRefusal(w, err)
	}
	return err == nil && ctx.Err() == nil
}

func (a *RESTAPI) fail(w http.ResponseWriter, requestID string, err error) {
	if a.cfg.Failed != nil {
		a.cfg.Failed(requestID, err)
	}
	switch {
	case errors.Is(err, guardtest.ErrTooLarge):
		refuseREST(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", "Request Too Long")
	case errors.Is(err, errTimeout):
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
