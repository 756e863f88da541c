package answer

import (
	"io"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// Buffered returns the streaming response of a function URL, as aws-lambda-go's
// lambdaurl makes it, as one answer. The error is the body's, or
// from [Answer.Encode].
func Buffered(r *events.LambdaFunctionURLStreamingResponse) ([]byte, error) {
	a := New(r.StatusCode)
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	header := make(http.Header, len(r.Headers))
	for name, value := range r.Headers {
		header[name] = []string{value}
	}
	a.AddHeader(header)
	a.Cookies = append(a.Cookies, r.Cookies...)
	if r.Body != nil {
		var err error
		if a.Body, err = io.ReadAll(io.LimitReader(r.Body, Max+1)); err != nil {
			return nil, err
		}
		if len(a.Body) > Max {
			if c, ok := r.Body.(io.Closer); ok { // so that its writer stops
				_ = c.Close()
			}
			return nil, ErrTooLarge
		}
	}
	return a.Encode(Format2)
}
