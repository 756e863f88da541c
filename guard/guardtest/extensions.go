package guardtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// extensions are the extensions of a process, by identifier.
type extensions struct {
	mu   sync.Mutex
	byID map[string]*extension
}

type extension struct {
	name   string
	events []string
	queue  chan any
}

// An extension that never asks misses events beyond these.
const extensionBacklog = 64

const (
	eventInvoke   = "INVOKE"
	eventShutdown = "SHUTDOWN"
)

// routeExtensionsAPI serves version 2020-01-01 of the Extensions API:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func (e *environment) routeExtensionsAPI(mux *http.ServeMux) {
	const base = "/2020-01-01/extension/"
	mux.HandleFunc("POST "+base+"register", e.serveRegister)
	mux.HandleFunc("GET "+base+"event/next", e.serveNextEvent)
	mux.HandleFunc("POST "+base+"init/error", e.serveExtensionError)
	mux.HandleFunc("POST "+base+"exit/error", e.serveExtensionError)
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
		if event != eventInvoke && event != eventShutdown {
			answerError(w, http.StatusBadRequest, "Extension.InvalidEventType", event+": invalid event type")
			return
		}
	}
	if e.wasPolled() {
		answerError(w, http.StatusForbidden, "Extension.RegistrationClosed", "the runtime has already initialised")
		return
	}
	id, ok := e.extensions.add(name, request.Events)
	if !ok {
		answerError(w, http.StatusForbidden, "Extension.AlreadyRegistered", name+" is already registered")
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", id)
	answerJSON(w, http.StatusOK, map[string]string{
		"functionName":    e.cfg.Name,
		"functionVersion": e.cfg.Version,
		"handler":         handlerName,
	})
}

func (e *environment) serveNextEvent(w http.ResponseWriter, r *http.Request) {
	ext := e.extension(w, r)
	if ext == nil {
		return
	}
	select {
	case event := <-ext.queue:
		answerJSON(w, http.StatusOK, event)
	case <-r.Context().Done():
	}
}

// serveExtensionError accepts the report; in Lambda too the extension then exits by itself.
func (e *environment) serveExtensionError(w http.ResponseWriter, r *http.Request) {
	if ext := e.extension(w, r); ext != nil {
		answerAccepted(w)
	}
}

// extension answers the request itself when it returns nil.
func (e *environment) extension(w http.ResponseWriter, r *http.Request) *extension {
	id := r.Header.Get("Lambda-Extension-Identifier")
	if id == "" {
		answerError(w, http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Lambda-Extension-Identifier is missing")
		return nil
	}
	e.extensions.mu.Lock()
	defer e.extensions.mu.Unlock()
	ext := e.extensions.byID[id]
	if ext == nil {
		answerError(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "unknown extension "+id)
	}
	return ext
}

func (x *extensions) add(name string, events []string) (id string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, ext := range x.byID {
		if ext.name == name {
			return "", false
		}
	}
	if x.byID == nil {
		x.byID = map[string]*extension{}
	}
	id = ids.UUID()
	x.byID[id] = &extension{name: name, events: events, queue: make(chan any, extensionBacklog)}
	return id, true
}

func (x *extensions) send(eventType string, event any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, ext := range x.byID {
		if !slices.Contains(ext.events, eventType) {
			continue
		}
		select {
		case ext.queue <- event:
		default:
		}
	}
}

func (x *extensions) announce(inv *invocation, cfg Config) {
	x.send(eventInvoke, map[string]any{
		"eventType":          eventInvoke,
		"deadlineMs":         inv.deadline.UnixMilli(),
		"requestId":          inv.call.RequestID,
		"invokedFunctionArn": cfg.ARN,
		"tracing":            map[string]string{"type": "X-Amzn-Trace-Id", "value": inv.call.TraceID},
	})
}

func (x *extensions) announceShutdown(deadline time.Time) {
	x.send(eventShutdown, map[string]any{
		"eventType":      eventShutdown,
		"shutdownReason": "spindown",
		"deadlineMs":     deadline.UnixMilli(),
	})
}
