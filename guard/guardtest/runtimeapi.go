package guardtest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
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
	if !e.wasPolled() {
		e.from.mu.Lock()
		e.poll()
		e.advance()
		e.from.mu.Unlock()
		e.hooks.changed()
	}
	inv := e.from.take(r.Context(), e)
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

func setIfAny(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	// The body first: an invocation ends when its answer is complete, and until
	// then its deadline counts.
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	inv := e.answered(r.PathValue("id"))
	if inv == nil {
		answerUnknownID(w)
		return
	}
	defer e.hooks.changed()
	if len(body) > maxResponse {
		failure := responseTooLargeError()
		inv.finish(Result{}, failure)
		answerError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", failure.Message)
		return
	}
	// A response that is streamed can fail after it has begun; the trailers say so.
	if errorType := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); errorType != "" {
		reported, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		inv.finish(Result{}, reportedError(errorType, reported))
	} else {
		inv.finish(Result{Payload: body, ContentType: r.Header.Get("Content-Type")}, nil)
	}
	answerAccepted(w)
}

func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	inv := e.answered(r.PathValue("id"))
	if inv == nil {
		answerUnknownID(w)
		return
	}
	defer e.hooks.changed()
	inv.finish(Result{}, reportedError(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body))
	answerAccepted(w)
}

func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	if e.wasPolled() {
		answerError(w, http.StatusForbidden, "InvalidStateTransition", "the runtime has already initialised")
		return
	}
	e.from.mu.Lock()
	e.initError = reportedError(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)
	e.from.mu.Unlock()
	e.hooks.initFailed()
	answerAccepted(w)
}

// readBody returns at most one byte more than a response may have, and discards the
// rest, so that the client reads the answer.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		answerError(w, http.StatusBadRequest, "TruncatedResponse", err.Error())
	}
	return body, err == nil
}

func answerUnknownID(w http.ResponseWriter) {
	answerError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
}

func answerError(w http.ResponseWriter, status int, errorType, message string) {
	answerJSON(w, status, map[string]string{"errorType": errorType, "errorMessage": message})
}

func answerAccepted(w http.ResponseWriter) {
	answerJSON(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	body, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
