package guard

import (
	"context"
	"errors"
	"net/http"
)

// Kind is the kind of an error. It decides the status that an HTTP caller gets, the
// level of the record, and whether a retry can help.
type Kind uint8

// The kinds. The zero value is Internal: an error without a kind is the function's
// fault.
const (
	Internal             Kind = iota // our error; the caller learns no more
	Invalid                          // the input breaks a rule
	Unauthenticated                  // no credential, or an invalid one
	Forbidden                        // the caller may not do this
	NotFound                         // no such thing
	MethodNotAllowed                 // it exists, but has no such method
	Conflict                         // not in this state, or already under way
	TooLarge                         // more than is accepted
	UnsupportedMediaType             // not in this form
	Unprocessable                    // well-formed, but not possible
	TooManyRequests                  // not this often
	Unavailable                      // a dependency does not answer
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

// String returns the kind's stable name, like "not_found". It is also the code of an
// [Error] without a code.
func (k Kind) String() string { return kinds[k.known()].name }

// Title returns the kind in words, the same for all its errors (RFC 9457, section
// 3.1.3).
func (k Kind) Title() string { return kinds[k.known()].title }

// Status returns the HTTP status code of the kind (RFC 9110, section 15).
func (k Kind) Status() int { return kinds[k.known()].status }

// IsClientError reports whether the caller has to change the request: a 4xx.
func (k Kind) IsClientError() bool { return k.Status() < 500 }

// Retryable reports whether the same event may succeed later. If not, a platform's
// retries and a queue's redeliveries are wasted.
func (k Kind) Retryable() bool {
	switch k.known() {
	case Internal, Conflict, TooManyRequests, Unavailable, Timeout:
		return true
	default:
		return false
	}
}

// KindOf returns the kind of err, however wrapped. An error without a kind is
// Internal, but [context.DeadlineExceeded] is a Timeout.
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
