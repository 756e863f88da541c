package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/answer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"
)

// HTTPAPIConfig describes an HTTP API. The zero value sends every request to the
// function, in payload format 2.0.
type HTTPAPIConfig struct {
	// Routes are route keys, see [CheckRoute]; "$default" when empty.
	Routes []string

	// Format of the event and the response: "2.0", also when empty, or "1.0".
	// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
	Format string

	// FunctionURL makes it a function URL instead: format 2.0 without routes, with
	// the path as the client sent it, and with responses of a function that streams.
	// See https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
	FunctionURL bool

	// Stage is the name of the deployed stage; "$default" when empty.
	Stage string

	// StageInPath makes it the API's execute-api address. There a stage other than
	// $default is the first segment of the path, of rawPath and path too. Other
	// paths are not found.
	// See https://github.com/aws-powertools/powertools-lambda-python/issues/621
	StageInPath bool

	// BasePath is mapped at a custom domain, "v1" or "shop/v1". A request under
	// another one is 403.
	// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html
	BasePath string

	// DomainPath is the event's path at a custom domain, with or without a base
	// path; [PathOfResource] in format 2.0 when empty, [PathAsSent] in 1.0.
	DomainPath DomainPath

	// Matching of routes; [MatchDecoded] when empty.
	Matching Matching

	// KeepSlashes leaves several slashes in a row as they are.
	KeepSlashes bool

	// IgnoreTrailingSlash has "/orders/" take the route "GET /orders" as well. Public
	// sources disagree: https://github.com/storacha/w3infra/pull/166 says no,
	// https://github.com/aws-powertools/powertools-lambda-python/issues/1552 yes.
	IgnoreTrailingSlash bool

	// StageVariables of the stage; none when nil.
	StageVariables map[string]string

	// Authorizer, IAM and JWT decide which requests reach the function. At most one
	// is not nil. A function URL can have IAM.
	Authorizer *Authorizer
	IAM        *IAMAuthorizer
	JWT        *JWTAuthorizer

	// Timeout of the integration; 30 seconds when 0, which is API Gateway's limit. It
	// includes the wait for a free process.
	Timeout time.Duration

	// Failed, when not nil, is called for every request that the function did not
	// properly answer, and returns the status for the client. 0 stands for API
	// Gateway's own: 500, or 503 when the integration timed out. A timeout matches
	// [context.DeadlineExceeded]. It is not called when the client has left.
	Failed func(requestID string, err error) (status int)
}

// HTTPAPI is an HTTP API of API Gateway in front of one function, an
// [http.Handler]. It is safe for concurrent use.
//
// As in API Gateway, rawPath is the decoded path and several slashes in it are one.
// A function URL leaves the path as it was sent. A body is base64 unless its content
// type is textual. Several headers of one name are joined by a comma. Cookies have a
// place of their own. A greedy variable may be empty: "/x/" takes the route
// "ANY /x/{proxy+}", and "/x" does not.
type HTTPAPI struct {
	fn      guardtest.Invoker
	cfg     HTTPAPIConfig
	address route.Address
	routes  []route.Route // in the order in which they are tried
	gate    admitter      // nil when all may pass
}

// maxBody is API Gateway's limit on a request's body.
const maxBody = 10 << 20

// NewHTTPAPI returns an API that calls fn. It fails when a route or the format
// is not one, two routes match the same requests, or the authorizer cannot be.
func NewHTTPAPI(fn guardtest.Invoker, cfg HTTPAPIConfig) (*HTTPAPI, error) {
	if fn == nil {
		return nil, errors.New("gateway: an HTTP API needs a function")
	}
	cfg.Format = cmp.Or(cfg.Format, "2.0")
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	if cfg.Format != "1.0" && cfg.Format != "2.0" {
		return nil, fmt.Errorf("gateway: payload format %q is neither 1.0 nor 2.0", cfg.Format)
	}
	if cfg.FunctionURL && (cfg.Format != "2.0" || len(cfg.Routes) > 0 || cfg.Authorizer != nil || cfg.JWT != nil || cfg.StageVariables != nil ||
		cfg.Stage != "" || cfg.StageInPath || cfg.BasePath != "" || cfg.Matching != "" || cfg.DomainPath != "") {
		return nil, errors.New("gateway: a function URL has format 2.0, no routes, no stages, no custom domain and no authorizer but IAM")
	}
	cfg.Stage = cmp.Or(cfg.Stage, route.Default)
	cfg.Matching = cmp.Or(cfg.Matching, MatchDecoded)
	switch {
	case !cfg.Matching.valid():
		return nil, fmt.Errorf("gateway: matching %q is none", cfg.Matching)
	case cfg.DomainPath != "" && !cfg.DomainPath.valid():
		return nil, fmt.Errorf("gateway: domain path %q is none", cfg.DomainPath)
	case cfg.StageInPath && cfg.BasePath != "":
		return nil, errors.New("gateway: the mapping of an HTTP API's base path names the stage: it is not in the path")
	}
	if len(cfg.Routes) == 0 {
		cfg.Routes = []string{route.Default}
	}
	api := &HTTPAPI{fn: fn, cfg: cfg, address: route.NewAddress(cfg.Stage, cfg.StageInPath, cfg.BasePath)}
	var err error
	if api.routes, err = route.ParseAll(cfg.Routes); err != nil {
		return nil, err
	}
	if api.gate, err = cfg.newGate(api.routes); err != nil {
		return nil, err
	}
	return api, nil
}

func (cfg HTTPAPIConfig) newGate(routes []route.Route) (admitter, error) {
	service := "execute-api"
	if cfg.FunctionURL {
		service = "lambda"
	}
	switch {
	case cfg.Authorizer != nil && cfg.IAM != nil, cfg.IAM != nil && cfg.JWT != nil, cfg.JWT != nil && cfg.Authorizer != nil:
		return nil, errors.New("gateway: an API has one authorizer")
	case cfg.Authorizer != nil:
		return newLambdaGate(*cfg.Authorizer)
	case cfg.IAM != nil:
		return newIAMGate(*cfg.IAM, service)
	case cfg.JWT != nil:
		return newJWTGate(*cfg.JWT, routes)
	default:
		return nil, nil
	}
}

// ServeHTTP takes a request through the steps of API Gateway.
func (a *HTTPAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, status := a.find(r)
	if status != http.StatusOK {
		answerMessage(w, status)
		return
	}
	req, status := event.Read(w, r, maxBody)
	if req == nil {
		answerMessage(w, status)
		return
	}
	req.Route, req.Variables, req.Paths = found.route, found.variables, found.paths
	req.Stage, req.StageVariables = a.cfg.Stage, a.cfg.StageVariables
	if a.gate != nil {
		err := a.gate.admit(r.Context(), req)
		switch {
		case r.Context().Err() != nil:
			return // the client is gone
		case err != nil && a.cfg.FunctionURL:
			answerURLRefused(w)
			return
		case err != nil:
			answerRefused(w, err)
			return
		}
	}
	got, requestID, err := invoke(a.fn, req, a.event(req), a.cfg.Timeout, a.parse)
	switch {
	case err == nil:
		got.Header.Set("Apigw-Requestid", req.ID)
		got.Write(w, "text/plain; charset=utf-8")
	case r.Context().Err() != nil:
	case errors.Is(err, guardtest.ErrTooLarge):
		answerMessage(w, http.StatusRequestEntityTooLarge)
	default:
		answerMessage(w, a.failure(requestID, err))
	}
}

// event is the payload for the function. Names of headers are in lower case by
// AWS's documentation, and not all by https://github.com/aws/aws-sam-cli/issues/3083
func (a *HTTPAPI) event(req *event.Request) event.Object {
	if a.cfg.Format == "1.0" {
		return req.Format1(req.LowerHeaders())
	}
	return req.Format2(a.cfg.FunctionURL)
}

func (a *HTTPAPI) parse(result guardtest.Result) (answer.Response, error) {
	switch {
	case a.cfg.FunctionURL && result.ContentType == answer.StreamType:
		return answer.ParseStream(result.Payload)
	case a.cfg.Format == "1.0":
		return answer.Parse1(result.Payload)
	default:
		return answer.Parse2(result.Payload)
	}
}

// failure is the status for a request that the function did not answer.
func (a *HTTPAPI) failure(requestID string, err error) (status int) {
	if a.cfg.Failed != nil {
		status = a.cfg.Failed(requestID, err)
	}
	if status == 0 && errors.Is(err, errTimeout) {
		return http.StatusServiceUnavailable
	}
	return cmp.Or(status, http.StatusInternalServerError)
}

// answerMessage answers in API Gateway's own words.
func answerMessage(w http.ResponseWriter, status int) {
	message := http.StatusText(status)
	switch status {
	case http.StatusBadGateway:
		message = http.StatusText(http.StatusInternalServerError)
	case http.StatusGatewayTimeout:
		message = "Endpoint request timed out"
	}
	answerJSON(w, status, map[string]string{"message": message})
}
