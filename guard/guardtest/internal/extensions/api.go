package extensions

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/reply"
)

// Route serves version 2020-01-01 of the API.
//
// Lambda's emulator answers 403 to every registration that it refuses, the document
// has 400 as well. A request that is malformed gets 400 here.
func (h *Host) Route(mux *http.ServeMux) {
	const base = "/2020-01-01/extension/"
	mux.HandleFunc("POST "+base+"register", h.serveRegister)
	mux.HandleFunc("GET "+base+"event/next", h.serveNext)
	mux.HandleFunc("POST "+base+"init/error", h.serveError("InitError", TypeInit))
	mux.HandleFunc("POST "+base+"exit/error", h.serveError("ExitError", TypeExit))
}

func (h *Host) serveRegister(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	if name == "" {
		reply.Error(w, http.StatusBadRequest, "Extension.InvalidExtensionName", "Empty extension name")
		return
	}
	var request struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request); err != nil {
		reply.Error(w, http.StatusBadRequest, "InvalidRequestFormat", err.Error())
		return
	}
	for _, event := range request.Events {
		if event != shutdown && (event != invoke || h.Managed) {
			reply.Error(w, http.StatusBadRequest, "Extension.InvalidEventType", event+": ErrorInvalidEventType")
			return
		}
	}
	id, errorType, message := h.register(name, request.Events)
	if id == "" {
		reply.Error(w, http.StatusForbidden, errorType, message)
		return
	}
	answer := map[string]string{
		"functionName":    h.Function.Name,
		"functionVersion": h.Function.Version,
		"handler":         h.Function.Handler,
	}
	features := strings.Split(r.Header.Get("Lambda-Extension-Accept-Feature"), ",")
	if slices.ContainsFunc(features, func(f string) bool { return strings.TrimSpace(f) == "accountId" }) {
		answer["accountId"] = h.Function.AccountID
	}
	h.Changed()
	w.Header().Set("Lambda-Extension-Identifier", id)
	reply.JSON(w, http.StatusOK, answer)
}

func (h *Host) serveNext(w http.ResponseWriter, r *http.Request) {
	x := h.identify(w, r)
	if x == nil {
		return
	}
	h.mu.Lock()
	if x.waiting {
		h.mu.Unlock()
		reply.Error(w, http.StatusForbidden, "Extension.InvalidExtensionState", x.Name+" already waits for an event")
		return
	}
	x.ready, x.waiting, x.done = true, true, len(x.queue) == 0
	if x.State.State == "Registered" {
		x.State.State = "Ready"
	}
	h.mu.Unlock()
	h.Changed()

	var event any
	select {
	case event = <-x.queue:
	case <-r.Context().Done():
	}
	h.mu.Lock()
	x.waiting = false
	h.mu.Unlock()
	if event != nil {
		reply.JSON(w, http.StatusOK, event)
	}
}

// serveError accepts a report; the extension then exits by itself.
func (h *Host) serveError(state, fault string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := h.identify(w, r)
		if x == nil {
			return
		}
		errorType := r.Header.Get("Lambda-Extension-Function-Error-Type")
		if errorType == "" {
			reply.Error(w, http.StatusForbidden, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
			return
		}
		h.mu.Lock()
		if fault == TypeInit && x.ready {
			h.mu.Unlock()
			reply.Error(w, http.StatusForbidden, "Extension.InvalidExtensionState", x.Name+" is initialised")
			return
		}
		x.State.State, x.ErrorType = state, errorType
		if h.fault == "" {
			h.fault = fault
		}
		h.mu.Unlock()
		h.Failed()
		reply.Accepted(w)
	}
}

// Identify returns the name of the extension that a request is from. It answers the
// request itself when it returns nothing.
func (h *Host) Identify(w http.ResponseWriter, r *http.Request) (name string) {
	if x := h.identify(w, r); x != nil {
		return x.Name
	}
	return ""
}

func (h *Host) identify(w http.ResponseWriter, r *http.Request) *extension {
	id := r.Header.Get("Lambda-Extension-Identifier")
	if id == "" {
		reply.Error(w, http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.all, func(x *extension) bool { return x.id == id })
	if i < 0 {
		reply.Error(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+id)
		return nil
	}
	return h.all[i]
}
