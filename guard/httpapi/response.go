package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// Response is the HTTP response of a function for [Handler].
type Response struct {
	// Status is the HTTP status code; 0 is 200.
	Status int
	// Header holds the headers. Several values of one name are joined by a comma,
	// but each value of Set-Cookie is sent as a cookie of its own.
	Header http.Header
	// Body is sent as text if it is UTF-8, and through base64 otherwise.
	Body []byte
}

// Reply is a JSON response with a status and headers. A function for [Func]
// returns it in place of the bare value.
type Reply[T any] struct {
	// Status is the HTTP status code; 0 is 200, or what the option [Status] sets.
	Status int
	// Header holds headers beside the content type.
	Header http.Header
	// Cookies are set on the client.
	Cookies []*http.Cookie
	// Value becomes the JSON body. A struct{} is no body.
	Value T
}

// Created returns a 201 for a new resource that is found at location (RFC 9110,
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

func errTooLarge() error {
	return guard.Errorf(guard.Internal, "response_too_large", "The response is larger than the platform takes.")
}

func invalidResponse(format string, args ...any) error {
	return &guard.Error{Kind: guard.Internal, Code: "invalid_response", Err: fmt.Errorf("httpapi: invalid "+format, args...)}
}

func encode(res *answer.Answer, form answer.Form) ([]byte, error) {
	out, err := res.Encode(form)
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, answer.ErrTooLarge):
		return nil, errTooLarge()
	default:
		return nil, invalidResponse("%w", err)
	}
}
