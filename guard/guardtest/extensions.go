package guardtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// routeExtensionsAPI serves version 2020-01-01 of the Extensions API:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
//
// Lambda's emulator answers 403 to every refused registration, the document also
// 400. A request that is malformed gets 400 here.
func (e *environment) routeExtensionsAPI(mux *http.ServeMux) {
	const base = "/2020-01-01/extension/"
	mux.HandleFunc("POST "+base+"register", e.serveRegister)
	mux.HandleFunc("GET "+base+"event/next", e.serveNextEvent)
	mux.HandleFunc("POST "+base+"init/error", e.serveExtensionInitError)
	mux.HandleFunc("POST "+base+"exit/error", e.serveExtensionExitError)
}

func (e *environment) serveRegister(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	if name == "" {
		answerError(w, http.StatusBadRequest, "Extension.MissingHeader", "Lambda-Extension-Name is missing")
		return
	}
	var request struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request); err != nil {
		answerError(w, http.StatusBadRequest, "InvalidRequestFormat", err.Error())
		return
	}
	for _, event := range request.Events {
		// A function that takes several invocations at once has no invoke phase.
		invoke := event == eventInvoke && e.cfg.Concurrency <= 1
		if !invoke && event != eventShutdown {
			answerError(w, http.StatusBadRequest, "Extension.InvalidEventType", event+": ErrorInvalidEventType")
			return
		}
	}
	id, refused := e.add(name, request.Events)
	if refused != nil {
		answerError(w, http.StatusForbidden, refused.errorType, refused.message)
		return
	}
	answer := map[string]string{
		"functionName":    e.cfg.Name,
		"functionVersion": e.cfg.Version,
		"handler":         handlerName,
	}
	features := strings.Split(r.Header.Get("Lambda-Extension-Accept-Feature"), ",")
	if slices.ContainsFunc(features, func(f string) bool { return strings.TrimSpace(f) == "accountId" }) {
		answer["accountId"] = AccountID
	}
	w.Header().Set("Lambda-Extension-Identifier", id)
	answerJSON(w, http.StatusOK, answer)
}

func (e *environment) serveNextEvent(w http.ResponseWriter, r *http.Request) {
	x := e.extension(w, r)
	if x == nil {
		return
	}
	e.from.mu.Lock()
	if x.waiting {
		e.from.mu.Unlock()
		answerError(w, http.StatusForbidden, "Extension.InvalidExtensionState", x.name+" already waits for an event")
		return
	}
	x.ready, x.waiting, x.done = true, true, len(x.queue) == 0
	if x.state == stateRegistered {
		x.state = stateReady
	}
	e.advance()
	e.from.mu.Unlock()
	e.hooks.changed()

	var event any
	select {
	case event = <-x.queue:
	case <-r.Context().Done():
	}
	e.from.mu.Lock()
	x.waiting = false
	e.from.mu.Unlock()
	if event != nil {
		answerJSON(w, http.StatusOK, event)
	}
}

func (e *environment) serveExtensionInitError(w http.ResponseWriter, r *http.Request) {
	e.serveExtensionError(w, r, stateInitError, TypeExtensionInit)
}

func (e *environment) serveExtensionExitError(w http.ResponseWriter, r *http.Request) {
	e.serveExtensionError(w, r, stateExitError, TypeExtensionExit)
}

// serveExtensionError accepts the report; the extension then exits by itself.
func (e *environment) serveExtensionError(w http.ResponseWriter, r *http.Request, state, errorType string) {
	x := e.extension(w, r)
	if x == nil {
		return
	}
	e.from.mu.Lock()
	x.state, x.errorType = state, r.Header.Get("Lambda-Extension-Function-Error-Type")
	if e.extensionError == "" {
		e.extensionError = errorType
	}
	e.from.mu.Unlock()
	e.hooks.extensionFailed()
	answerAccepted(w)
}

// extension answers the request itself when it returns nil.
func (e *environment) extension(w http.ResponseWriter, r *http.Request) *extension {
	id := r.Header.Get("Lambda-Extension-Identifier")
	if id == "" {
		answerError(w, http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
		return nil
	}
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	x := e.extensionByID(id)
	if x == nil {
		answerError(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+id)
	}
	return x
}
