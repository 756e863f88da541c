package httpapi

import (
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// Reply is an answer with a status and headers of its own. A function given to
// [Func] returns it in the place of the bare value.
type Reply[T any] struct {
	// Status is the HTTP status code; 0 is 200, or what the [Status] option says.
	Status int
	// Header holds headers beside the content type.
	Header http.Header
	// Cookies are set on the client.
	Cookies []*http.Cookie
	// Value becomes the JSON body. A struct{} is no body.
	Value T
}

// Created is a 201 for something new that is found at location (RFC 9110,
// section 15.3.2).
func Created[T any](location string, value T) Reply[T] {
	return Reply[T]{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Value: value}
}

type replier interface {
	reply(res *answer.Answer) (value any, err error)
}

func (r Reply[T]) reply(res *answer.Answer) (any, error) {
	if r.Status != 0 {
		res.Status = r.Status
	}
	res.AddHeader(r.Header)
	for _, c := range r.Cookies {
		if err := c.Valid(); err != nil { // its text may hold the value
			return nil, invalidResponse("cookie")
		}
		res.Cookies = append(res.Cookies, c.String())
	}
	return r.Value, nil
}

// WithHeader gives an error a header that its response is to have, as
// WWW-Authenticate with a 401 of a certain scheme. The error stays what it is:
// nil stays nil.
func WithHeader(err error, name, value string) error {
	if err == nil {
		return nil
	}
	return &headerError{error: err, name: name, value: value}
}

type headerError struct {
	error
	name, value string
}

func (e *headerError) Unwrap() error { return e.error }

// errMethodNotAllowed is the 405 of a resource that has other methods.
func errMethodNotAllowed(allow string) error {
	err := guard.Errorf(guard.MethodNotAllowed, "method_not_allowed", "The resource does not have this method.")
	return WithHeader(err, "allow", allow)
}
