package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// Response is an HTTP response, as a [Handler] makes it.
type Response struct {
	// Status is the HTTP status code; 0 is 200.
	Status int
	// Header holds the headers. Several values of one name are joined by a
	// comma, but for Set-Cookie, whose values become cookies: each is sent as
	// a header of its own, VPC Lattice is given a list of them.
	Header http.Header
	// Body is sent as text where it is UTF-8, and through base64 otherwise.
	Body []byte
}

func (r Response) internal() *answer.Answer {
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	res := answer.New(status)
	res.Body = r.Body
	res.AddHeader(r.Header)
	return res
}

func tooLarge() error {
	return guard.Errorf(guard.Internal, "response_too_large", "The response is larger than the platform takes.")
}

func invalidResponse(format string, args ...any) error {
	return &guard.Error{Kind: guard.Internal, Code: "invalid_response", Err: fmt.Errorf("httpapi: invalid "+format, args...)}
}

// encode writes an answer in a form.
func encode(res *answer.Answer, form answer.Form) ([]byte, error) {
	out, err := res.Encode(form)
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, answer.ErrTooLarge):
		return nil, tooLarge()
	default:
		return nil, invalidResponse("%w", err)
	}
}
