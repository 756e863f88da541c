package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// HTTPAPIConfig describes an HTTP API. The zero value sends every request to
// the function, in payload format 2.0.
type HTTPAPIConfig struct {
	// Routes are route keys, for which see [ParseRoute]; "$default" when empty.
	Routes []string

	// Format of the event and the response: "2.0", also when empty, or "1.0".
	// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
	Format string

	// FunctionURL makes it a function URL instead: the same formats without
	// routes, with the path as the client sent it, and with responses of a
	// function that streams. See https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
	FunctionURL bool

	// Stage is the deployed stage's name; "$default" when empty.
	Stage string

	// StageInPath makes it the API's execute-api address, where a stage other
	// than $default is the first segment of the path, of rawPath and path too.
	// Anything else is not found.
	// See https://github.com/aws-powertools/powertools-lambda-python/issues/621
	StageInPath bool

	// BasePath is that of the mapping of a custom domain, "v1" or "shop/v1". A
	// request under another one is 403.
	// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html
	BasePath string

	// DomainPath is the event's path at a custom domain, with or without a base
	// path; [PathOfResource] in format 2.0 when empty, [PathAsSent] in 1.0.
	DomainPath DomainPath

	// Matching of routes; [MatchDecoded] when empty.
	Matching Matching

	// KeepSlashes leaves several slashes in a row as they are.
	KeepSlashes bool

	// IgnoreTrailingSlash has "/orders/" match "GET /orders" as well. Whether API
	// Gateway does so is told both ways: not by
	// https://github.com/storacha/w3infra/pull/166, but by
	// https://github.com/aws-powertools/powertools-lambda-python/issues/1552
	IgnoreTrailingSlash bool

	// CanonicalHeaders has the names of headers in format 1.0 as in "Content-Type".
	// They are in lower case by AWS's documentation of both formats, and not all by
	// https://github.com/aws/aws-sam-cli/issues/3083. An authorizer's event of format
	// 1.0 has them in this form, as in AWS's documentation of that.
	// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
	CanonicalHeaders bool

	// StageVariables of the stage; none when nil.
	StageVariables map[string]string

	// Authorizer, IAM and JWT decide which requests reach the function. At most one
	// is not nil; a function URL can have IAM.
	Authorizer *Authorizer
	IAM        *IAMAuthorizer
	JWT        *JWTAuthorizer

	// Timeout of the integration; 30 seconds when 0, which is the most that API
	// Gateway allows. It counts while a request waits for a free process, too.
	Timeout time.Duration

	// Failed, when not nil, is told of every request that the function did not
	// properly answer, and returns the status that the caller gets. 0 stands for
	// API Gateway's own: 500, or 503 when the integration timed out. An error
	// that is a timeout, of the function or of the integration, matches
	// [context.DeadlineExceeded]. The client's leaving is no failure.
	Failed func(requestID string, err error) (status int)
}

// HTTPAPI is an HTTP API of API Gateway in front of one function: an
// [http.Handler] that turns requests into events and the function's answers
// into responses. Safe for concurrent use.
//
// As in API Gateway, rawPath is the decoded path and several slashes in it are
// one (a function URL leaves it as it was sent), a body is base64 unless its content type is textual, several headers
// of one name are joined by a comma, and cookies stand by themselves. A greedy
// variable may be empty: "/x/" is of "ANY /x/{proxy+}", and "/x" is not.
type HTTPAPI struct {
	fn      guardtest.Invoker
	cfg     HTTPAPIConfig
	address address
	routes  []Route  // in the order in which they are tried
	gate    admitter // nil when all may pass
}

// maxBody is API Gateway's limit on a request's body.
const maxBody = 10 << 20

var errIntegrationTimeout = fmt.Errorf("gateway: the integration timed out: %w", context.DeadlineExceeded)

// NewHTTPAPI returns an API that calls fn. It fails when a route or the format
// is not one, two routes match the same requests, or the authorizer cannot be.
func NewHTTPAPI(fn guardtest.Invoker, cfg HTTPAPIConfig) (*HTTPAPI, error) {
	if fn == nil {
		return nil, errors.New("gateway: an HTTP API needs a function")
	}
	cfg.Format = cmp.Or(cfg.Format, format2)
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	if cfg.Format != format1 && cfg.Format != format2 {
		return nil, fmt.Errorf("gateway: payload format %q is neither 1.0 nor 2.0", cfg.Format)
	}
	if cfg.FunctionURL && (cfg.Format != format2 || len(cfg.Routes) > 0 || cfg.Authorizer != nil || cfg.JWT != nil || cfg.StageVariables != nil ||
		cfg.Stage != "" || cfg.StageInPath || cfg.BasePath != "" || cfg.Matching != "" || cfg.DomainPath != "") {
		return nil, errors.New("gateway: a function URL has format 2.0, no routes, no stages, no custom domain and no authorizer but IAM")
	}
	cfg.Stage = cmp.Or(cfg.Stage, defaultStage)
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
		cfg.Routes = []string{defaultRouteKey}
	}
	api := &HTTPAPI{fn: fn, cfg: cfg, address: newAddress(cfg.Stage, cfg.StageInPath, cfg.BasePath)}
	var err error
	if api.routes, err = parseRoutes(cfg.Routes); err != nil {
		return nil, err
	}
	if api.gate, err = cfg.newGate(api.routes); err != nil {
		return nil, err
	}
	return api, nil
}

func (cfg HTTPAPIConfig) newGate(routes []Route) (admitter, error) {
	service := "execute-api"
	if cfg.FunctionURL {
		service = "lambda"
	}
	switch {
	case cfg.Authorizer != nil && cfg.IAM != nil, cfg.IAM != nil && cfg.JWT != nil, cfg.JWT != nil && cfg.Authorizer != nil:
		return nil, errors.New("gateway: an API has one authorizer")
	case cfg.Authorizer != nil:
		return newGate(*cfg.Authorizer)
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
	req, err := newRequest(w, r, maxBody)
	if err != nil {
		status := http.StatusBadRequest // or the client is gone
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		answerMessage(w, status)
		return
	}
	req.route, req.variables, req.paths = found.route, found.variables, found.paths
	req.stage, req.stageVariables = a.cfg.Stage, a.cfg.StageVariables
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
	result, err := a.invoke(r.Context(), req)
	if err == nil {
		var answer response
		if answer, err = a.parse(result); err == nil {
			answer.write(w, "Apigw-Requestid", req.id)
			return
		}
	}
	switch {
	case r.Context().Err() != nil:
	case errors.Is(err, guardtest.ErrTooLarge):
		answerMessage(w, http.StatusRequestEntityTooLarge)
	default:
		a.fail(w, result.RequestID, err)
	}
}

// invoke calls the function. The integration's timeout is not the function's:
// it only ends the waiting, as the client's leaving does.
func (a *HTTPAPI) invoke(ctx context.Context, req *request) (guardtest.Result, error) {
	ctx, done := waitAtMost(ctx, a.cfg.Timeout, errIntegrationTimeout)
	defer done()
	return a.fn.Do(ctx, guardtest.Call{Payload: req.event(a.cfg), TraceID: req.trace})
}

func (a *HTTPAPI) parse(result guardtest.Result) (response, error) {
	switch {
	case a.cfg.FunctionURL && result.ContentType == streamContentType:
		return parseStream(result.Payload)
	case a.cfg.Format == format1:
		return parseResponse1(result.Payload)
	default:
		return parseResponse2(result.Payload)
	}
}

func (a *HTTPAPI) fail(w http.ResponseWriter, requestID string, err error) {
	status := 0
	if a.cfg.Failed != nil {
		status = a.cfg.Failed(requestID, err)
	}
	if status == 0 {
		status = http.StatusInternalServerError
		if errors.Is(err, errIntegrationTimeout) {
			status = http.StatusServiceUnavailable
		}
	}
	answerMessage(w, status)
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
