package telemetry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An API is what an extension subscribes with: its records and its errors have other
// names.
type API int

// The Telemetry API of 2022-07-01, and the Logs API of 2020-08-15.
const (
	TelemetryAPI API = iota
	LogsAPI
)

// Limits of the buffering. The reference of the API has those of maxItems and timeoutMs
// the other way round; these are of its guide and of Lambda's emulator.
const (
	leastBytes, mostBytes     = 256 << 10, 1 << 20
	leastItems, mostItems     = 1_000, 10_000
	leastTimeout, mostTimeout = 25, 30_000 // ms
	defaultTimeout            = 1_000

	reservedPort = 9001
)

// A Refusal is an error of a subscription, as Lambda answers it.
type Refusal struct {
	Status  int
	Type    string
	Message string
}

// Error returns the type and the message.
func (r *Refusal) Error() string { return r.Type + ": " + r.Message }

// A request is the body of a subscription.
type request struct {
	SchemaVersion string   `json:"schemaVersion"`
	Types         []string `json:"types"`
	Buffering     struct {
		MaxItems  *int `json:"maxItems"`
		MaxBytes  *int `json:"maxBytes"`
		TimeoutMs *int `json:"timeoutMs"`
	} `json:"buffering"`
	Destination struct {
		Protocol string `json:"protocol"`
		URI      string `json:"URI"`
		Port     int    `json:"port"`
		Method   string `json:"method"`
		Encoding string `json:"encoding"`
	} `json:"destination"`
}

// Subscribe subscribes an extension. The error is a [*Refusal]. A second subscription
// of an extension with the same API changes nothing.
func (s *Stream) Subscribe(extension string, api API, body []byte) error {
	invalid, closed := "ValidationError", "Telemetry.SubscriptionClosed"
	words := "Telemetry API subscription is closed"
	if api == LogsAPI {
		invalid, closed, words = "Logs.ValidationError", "Logs.SubscriptionClosed", "Logs API subscription is closed"
	}
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		return &Refusal{http.StatusBadRequest, invalid, "failed to parse JSON: " + err.Error()}
	}
	if problems := r.problems(api, s.Managed); len(problems) > 0 {
		return &Refusal{http.StatusBadRequest, invalid, strings.Join(problems, "; ")}
	}
	sub := &subscriber{
		name:     extension,
		api:      api,
		schema:   r.SchemaVersion,
		types:    r.Types,
		maxItems: valueOr(r.Buffering.MaxItems, mostItems),
		maxBytes: valueOr(r.Buffering.MaxBytes, leastBytes),
		timeout:  time.Duration(valueOr(r.Buffering.TimeoutMs, defaultTimeout)) * time.Millisecond,
		to:       r.destination(),
		wake:     make(chan struct{}, 1),
	}
	switch got := s.subscribe(sub); {
	case got == nil:
		return &Refusal{http.StatusForbidden, closed, words}
	case got.api != api:
		return &Refusal{http.StatusBadRequest, invalid, extension + " has subscribed with the other API"}
	case got != sub:
		return nil
	}
	kind := "platform.telemetrySubscription"
	if api == LogsAPI {
		kind = "platform.logsSubscription"
	}
	s.Publish(kind, map[string]any{"name": extension, "state": "Subscribed", "types": r.Types})
	return nil
}

func valueOr(v *int, otherwise int) int {
	if v == nil {
		return otherwise
	}
	return *v
}

func (r *request) problems(api API, managed bool) (problems []string) {
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }

	schemas := []string{"2022-07-01", "2022-12-13", "2025-01-29"}
	switch {
	case api == LogsAPI:
		schemas = []string{"", "2020-08-15", "2021-03-18"}
	case managed:
		schemas = schemas[2:]
	}
	if !slices.Contains(schemas, r.SchemaVersion) {
		refuse("schemaVersion %q should be one of %s", r.SchemaVersion, strings.Trim(strings.Join(schemas, ", "), ", "))
	}
	if len(r.Types) == 0 {
		refuse("types should not be empty")
	}
	for _, t := range r.Types {
		if t != platform && t != Function && t != Extension {
			refuse("type %q should be one of platform, function, extension", t)
		}
	}
	within := func(name string, value *int, least, most int) {
		if value != nil && (*value < least || *value > most) {
			refuse("%s %d should be from %d to %d", name, *value, least, most)
		}
	}
	within("maxItems", r.Buffering.MaxItems, leastItems, mostItems)
	within("maxBytes", r.Buffering.MaxBytes, leastBytes, mostBytes)
	within("timeoutMs", r.Buffering.TimeoutMs, leastTimeout, mostTimeout)

	to := r.Destination
	switch to.Protocol {
	case "HTTP":
		u, err := url.Parse(to.URI)
		if err != nil || u.Scheme != "http" || u.Hostname() != "sandbox.localdomain" && u.Hostname() != "sandbox" {
			refuse("URI %q should begin with http://sandbox.localdomain", to.URI)
			break
		}
		if u.Port() == "" {
			refuse("URI port is not provided")
			break
		}
		refusePort(u.Port(), refuse)
	case "TCP":
		refusePort(strconv.Itoa(to.Port), refuse)
	default:
		refuse("protocol %q should be HTTP or TCP", to.Protocol)
	}
	if to.Method != "" && to.Method != http.MethodPost && to.Method != http.MethodPut {
		refuse("method %q should be POST or PUT", to.Method)
	}
	if to.Encoding != "" && to.Encoding != "JSON" {
		refuse("encoding %q should be JSON", to.Encoding)
	}
	return problems
}

func refusePort(port string, refuse func(string, ...any)) {
	switch n, err := strconv.Atoi(port); {
	case err != nil || n < 1 || n > 65535:
		refuse("port %s should be from 1 to 65535", port)
	case n == reservedPort:
		refuse("port %s is reserved", port)
	}
}

// destination returns where the records go, on the loopback interface: the names of
// the sandbox resolve in Lambda only.
func (r *request) destination() destination {
	if r.Destination.Protocol == "TCP" {
		return &lines{address: "127.0.0.1:" + strconv.Itoa(r.Destination.Port)}
	}
	u, _ := url.Parse(r.Destination.URI)
	method := r.Destination.Method
	if method == "" {
		method = http.MethodPost
	}
	return newArrays(method, u)
}
