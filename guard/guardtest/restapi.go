package guardtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// RESTAPIConfig describes a REST API with a Lambda proxy integration.
type RESTAPIConfig struct {
	// Routes are methods and resources: "GET /orders/{id}", "ANY /{proxy+}". All
	// requests go to the function when it is empty. There is no $default.
	Routes []string

	// Stage is the deployed stage's name; "prod" when empty.
	Stage string

	// StageVariables of the stage; none when nil.
	StageVariables map[string]string

	// Authorizer, when not nil, decides which requests reach the function.
	Authorizer *RESTAuthorizer

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
// As with a domain of one's own, the stage is not in the URL. The resource is
// the most specific that matches the path; that it lacks the method is 403, as
// is a path that no resource matches. net/http has brought the names of headers
// into their canonical form, which in AWS are as the client sent them.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type RESTAPI struct {
	fn     Invoker
	cfg    RESTAPIConfig
	routes []Route // in the order in which they are tried
	gate   *gate   // nil when all may pass
}

// maxMethodARN is the limit in bytes on the ARN of a request to a REST API with
// an authorizer.
const maxMethodARN = 1600

// NewRESTAPI returns an API that calls fn. It fails when a route is not one of
// a REST API, two resources are the same, or the authorizer cannot be.
func NewRESTAPI(fn Invoker, cfg RESTAPIConfig) (*RESTAPI, error) {
	if fn == nil {
		return nil, errors.New("guardtest: a REST API needs a function")
	}
	setDefault(&cfg.Stage, "prod")
	setDefault(&cfg.Timeout, 29*time.Second)
	if len(cfg.Routes) == 0 {
		cfg.Routes = []string{"ANY /", "ANY /{proxy+}"}
	}
	api := &RESTAPI{fn: fn, cfg: cfg}
	var err error
	if api.routes, err = parseRoutes(cfg.Routes); err != nil {
		return nil, err
	}
	resources := map[string]string{} // by shape
	for _, route := range api.routes {
		if route.key == defaultRouteKey {
			return nil, errors.New("guardtest: a REST API has no $default route")
		}
		shape := Route{segments: route.segments, greedy: route.greedy}.shape()
		if other, ok := resources[shape]; ok && other != route.path() {
			return nil, fmt.Errorf("guardtest: resources %q and %q match the same paths", other, route.path())
		}
		resources[shape] = route.path()
	}
	if cfg.Authorizer != nil {
		if api.gate, err = newRESTGate(*cfg.Authorizer); err != nil {
			return nil, err
		}
	}
	return api, nil
}

// ServeHTTP takes a request through the steps of API Gateway.
func (a *RESTAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amzn-Requestid", newUUID())
	route, variables, ok := a.route(r)
	if !ok {
		refuseREST(w, http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
		return
	}
	req, err := newRequest(w, r, route, variables)
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
			answer.write(w, "X-Amz-Apigw-Id", newAPIRequestID())
			return
		}
	}
	if r.Context().Err() == nil {
		a.fail(w, result.RequestID, err)
	}
}

// route finds the resource first: a more general one does not step in for a
// method that the resource lacks.
func (a *RESTAPI) route(r *http.Request) (route Route, variables map[string]string, ok bool) {
	resource := ""
	for _, route := range a.routes {
		given, matches := route.match(route.method, decodedPath(r))
		for _, value := range given { // a greedy variable, too, takes something
			matches = matches && value != ""
		}
		if matches && resource == "" {
			resource = route.path()
		}
		if !matches || route.path() != resource {
			continue
		}
		if variables, ok := route.match(r.Method, decodedPath(r)); ok {
			return route, variables, true
		}
	}
	return Route{}, nil, false
}

func (a *RESTAPI) admit(w http.ResponseWriter, req *request) bool {
	if a.gate == nil {
		return true
	}
	arn := req.arn()
	if len(arn) > maxMethodARN {
		refuseREST(w, http.StatusRequestURITooLong, "", "Request URI too long")
		return false
	}
	ctx := req.http.Context()
	admitted, err := a.gate.pass(ctx, req, arn)
	switch {
	case ctx.Err() != nil: // the client is gone
	case err != nil:
		answerRESTRefusal(w, err)
	default:
		req.admitted = &admitted
		return true
	}
	return false
}

func (a *RESTAPI) invoke(ctx context.Context, req *request) (Result, error) {
	ctx, done := waitAtMost(ctx, a.cfg.Timeout, errIntegrationTimeout)
	defer done()
	return a.fn.Do(ctx, Call{Payload: marshal(req.restEvent()), TraceID: req.trace})
}

func (a *RESTAPI) fail(w http.ResponseWriter, requestID string, err error) {
	if a.cfg.Failed != nil {
		a.cfg.Failed(requestID, err)
	}
	switch {
	case errors.Is(err, ErrTooLarge):
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
