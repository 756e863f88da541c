package guardtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
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

	// StageVariables of the stage; none when nil.
	StageVariables map[string]string

	// Authorizer, when not nil, decides which requests reach the function.
	Authorizer *Authorizer

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
// As in API Gateway, rawPath is the decoded path (a function URL leaves it as it
// was sent), a body is base64 unless its content type is textual, several headers
// of one name are joined by a comma, and cookies stand by themselves. A greedy
// variable may be empty: "/x/" is of "ANY /x/{proxy+}", and "/x" is not.
type HTTPAPI struct {
	fn     Invoker
	cfg    HTTPAPIConfig
	routes []Route // in the order in which they are tried
	gate   *gate   // nil when all may pass
}

// maxBody is API Gateway's limit on a request's body.
const maxBody = 10 << 20

var errIntegrationTimeout = fmt.Errorf("guardtest: the integration timed out: %w", context.DeadlineExceeded)

// NewHTTPAPI returns an API that calls fn. It fails when a route or the format
// is not one, two routes match the same requests, or the authorizer cannot be.
func NewHTTPAPI(fn Invoker, cfg HTTPAPIConfig) (*HTTPAPI, error) {
	if fn == nil {
		return nil, errors.New("guardtest: an HTTP API needs a function")
	}
	setDefault(&cfg.Format, format2)
	setDefault(&cfg.Timeout, 30*time.Second)
	if cfg.Format != format1 && cfg.Format != format2 {
		return nil, fmt.Errorf("guardtest: payload format %q is neither 1.0 nor 2.0", cfg.Format)
	}
	if cfg.FunctionURL && (cfg.Format != format2 || len(cfg.Routes) > 0 || cfg.Authorizer != nil || cfg.StageVariables != nil) {
		return nil, errors.New("guardtest: a function URL has format 2.0, no routes, no stage variables and no authorizer")
	}
	if len(cfg.Routes) == 0 {
		cfg.Routes = []string{defaultRouteKey}
	}
	api := &HTTPAPI{fn: fn, cfg: cfg}
	var err error
	if api.routes, err = parseRoutes(cfg.Routes); err != nil {
		return nil, err
	}
	if cfg.Authorizer != nil {
		if api.gate, err = newGate(*cfg.Authorizer); err != nil {
			return nil, err
		}
	}
	return api, nil
}

// ServeHTTP takes a request through the steps of API Gateway.
func (a *HTTPAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, variables, ok := a.route(r)
	if !ok {
		answerMessage(w, http.StatusNotFound)
		return
	}
	req, err := newRequest(w, r, route, variables)
	if err != nil {
		status := http.StatusBadRequest // or the client is gone
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		answerMessage(w, status)
		return
	}
	req.stageVariables = a.cfg.StageVariables
	if a.gate != nil {
		admitted, err := a.gate.pass(r.Context(), req, req.arn())
		if r.Context().Err() != nil {
			return // the client is gone
		}
		if err != nil {
			answerMessage(w, refusedStatus(err))
			return
		}
		req.admitted = &admitted
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
	case errors.Is(err, ErrTooLarge):
		answerMessage(w, http.StatusRequestEntityTooLarge)
	default:
		a.fail(w, result.RequestID, err)
	}
}

func (a *HTTPAPI) route(r *http.Request) (route Route, variables map[string]string, ok bool) {
	for _, route := range a.routes {
		if variables, ok := route.match(r.Method, decodedPath(r)); ok {
			return route, variables, true
		}
	}
	return Route{}, nil, false
}

// invoke calls the function. The integration's timeout is not the function's:
// it only ends the waiting, as the client's leaving does.
func (a *HTTPAPI) invoke(ctx context.Context, req *request) (Result, error) {
	ctx, done := waitAtMost(ctx, a.cfg.Timeout, errIntegrationTimeout)
	defer done()
	return a.fn.Do(ctx, Call{Payload: req.event(a.cfg), TraceID: req.trace})
}

func (a *HTTPAPI) parse(result Result) (response, error) {
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

func readRequestBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}
