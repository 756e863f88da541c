package guardtest

import (
	"encoding/base64"
	"io"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/reply"
)

// routeRuntimeAPI serves version 2018-06-01 of the Runtime API:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (e *environment) routeRuntimeAPI(mux *http.ServeMux) {
	const base = "/2018-06-01/runtime/"
	mux.HandleFunc("GET "+base+"invocation/next", e.serveNext)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", e.serveResponse)
	mux.HandleFunc("POST "+base+"invocation/{id}/error", e.serveError)
	mux.HandleFunc("POST "+base+"init/error", e.serveInitError)
}

func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	e.firstPoll()
	inv := e.takeRestored()
	if inv == nil {
		inv = e.from.take(r.Context(), e, false)
	}
	if inv == nil {
		// The environment takes no more invocations: the request waits until the process
		// ends, as in a frozen process.
		<-r.Context().Done()
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.call.RequestID)
	h.Set("Lambda-Runtime-Deadline-Ms", unixMilli(inv.deadline))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", e.cfg.ARN)
	h.Set("Lambda-Runtime-Trace-Id", inv.call.TraceID)
	setIfAny(h, "Lambda-Runtime-Aws-Tenant-Id", inv.call.TenantID)
	setIfAny(h, "Lambda-Runtime-Client-Context", string(inv.call.ClientContext))
	setIfAny(h, "Lambda-Runtime-Cognito-Identity", string(inv.call.Identity))
	_, _ = w.Write(inv.call.Payload)
}

// firstPoll ends the init, if it has not ended yet.
func (e *environment) firstPoll() {
	if !e.wasPolled() {
		e.extensions.Close()
		e.poll()
		e.asked()
	}
}

func setIfAny(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// An answer is what the runtime posted for an invocation.
type answer struct {
	result  Result
	failure *FunctionError
	bytes   int
	begun   time.Time // with the request's header
	ended   time.Time
}

func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	got := answer{begun: time.Now()}
	// The body first: an invocation ends when its answer is complete, and until
	// then its deadline counts.
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	got.bytes = len(body)
	// A response that is streamed can fail after it has begun; the trailers say so.
	errorType := r.Trailer.Get("Lambda-Runtime-Function-Error-Type")
	switch {
	case len(body) > maxResponse:
		got.failure = responseTooLargeError()
	case errorType != "":
		reported, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		got.failure = reportedError(errorType, reported)
	default:
		got.result = Result{Payload: body, ContentType: r.Header.Get("Content-Type")}
	}
	if !e.answered(r.PathValue("id"), got) {
		answerUnknownID(w)
		return
	}
	defer e.hooks.changed()
	if len(body) > maxResponse {
		reply.Error(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", got.failure.Message)
		return
	}
	reply.Accepted(w)
}

func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	got := answer{begun: time.Now()}
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	got.bytes, got.failure = len(body), reportedError(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)
	if !e.answered(r.PathValue("id"), got) {
		answerUnknownID(w)
		return
	}
	defer e.hooks.changed()
	reply.Accepted(w)
}

func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	if e.wasPolled() {
		reply.Error(w, http.StatusForbidden, "InvalidStateTransition", "the runtime has already initialised")
		return
	}
	e.from.mu.Lock()
	e.initError = reportedError(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)
	e.from.mu.Unlock()
	e.hooks.initFailed()
	reply.Accepted(w)
}

// readBody returns at most one byte more than a response may have, and discards the
// rest, so that the client reads the answer.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		reply.Error(w, http.StatusBadRequest, "TruncatedResponse", err.Error())
	}
	return body, err == nil
}

func answerUnknownID(w http.ResponseWriter) {
	reply.Error(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
}
