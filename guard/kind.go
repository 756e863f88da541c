package guard

import (
	"context"
	"errors"
	"net/http"
)

// Kind is what went wrong, as far as anyone but the operator needs to know: it
// decides the status that an HTTP caller gets, the level of the record, and
// whether trying again can help.
type Kind uint8

// The kinds. The zero value is Internal: an error that says nothing is ours.
const (
	Internal             Kind = iota // our fault; the caller learns no more
	Invalid                          // the input breaks a rule
	Unauthenticated                  // no credential, or one that does not hold
	Forbidden                        // who is asking may not
	NotFound                         // no such thing
	MethodNotAllowed                 // the thing is there, not the method
	Conflict                         // not in this state, or already under way
	TooLarge                         // more than we take
	UnsupportedMediaType             // not in this form
	Unprocessable                    // well-formed, and still not possible
	TooManyRequests                  // not this often
	Unavailable                      // not now: a dependency does not answer
	Timeout                          // not in the time there was
)

var kinds = [...]struct {
	name   string
	title  string
	status int
}{
	Internal:             {"internal", "Internal error", http.StatusInternalServerError},
	Invalid:              {"invalid", "Invalid request", http.StatusBadRequest},
	Unauthenticated:      {"unauthenticated", "Authentication required", http.StatusUnauthorized},
	Forbidden:            {"forbidden", "Forbidden", http.StatusForbidden},
	NotFound:             {"not_found", "Not found", http.StatusNotFound},
	MethodNotAllowed:     {"method_not_allowed", "Method not allowed", http.StatusMethodNotAllowed},
	Conflict:             {"conflict", "Conflict", http.StatusConflict},
	TooLarge:             {"too_large", "Too large", http.StatusRequestEntityTooLarge},
	UnsupportedMediaType: {"unsupported_media_type", "Unsupported media type", http.StatusUnsupportedMediaType},
	Unprocessable:        {"unprocessable", "Unprocessable request", http.StatusUnprocessableEntity},
	TooManyRequests:      {"too_many_requests", "Too many requests", http.StatusTooManyRequests},
	Unavailable:          {"unavailable", "Service unavailable", http.StatusServiceUnavailable},
	Timeout:              {"timeout", "Timed out", http.StatusGatewayTimeout},
}

func (k Kind) known() Kind {
	if int(k) < len(kinds) {
		return k
	}
	return Internal
}

// String is the kind's stable name, like "not_found". It is also the code of
// an [Error] that has none of its own.
func (k Kind) String() string { return kinds[k.known()].name }

// Title says the kind in words, the same for every error of it (RFC 9457,
// section 3.1.3).
func (k Kind) Title() string { return kinds[k.known()].title }

// Status is the HTTP status code of the kind (RFC 9110, section 15).
func (k Kind) Status() int { return kinds[k.known()].status }

// IsClientError reports whether the caller has to change something: a 4xx.
func (k Kind) IsClientError() bool { return k.Status() < 500 }

// Retryable reports whether the same event may succeed later. Where it is
// false, a platform's retries and a queue's redeliveries only cost.
func (k Kind) Retryable() bool {
	switch k.known() {
	case Internal, Conflict, TooManyRequests, Unavailable, Timeout:
		return true
	default:
		return false
	}
}

// KindOf finds the kind of err through any wrapping. An error that has no kind
// is Internal, except that a context's deadline is a Timeout.
func KindOf(err error) Kind {
	e := find(err)
	switch {
	case e != nil:
		return e.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	default:
		return Internal
	}
}
