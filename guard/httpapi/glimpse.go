package httpapi

import (
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// glimpse is what can be seen of a request that was refused, its body too large
// or its event malformed: the payload format and the headers. It is for making
// the answer, whose reader may be a page of another origin, and for nothing else.
func glimpse(raw []byte) *Request {
	r := &Request{http: new(events.APIGatewayV2HTTPRequest), headers: map[string]string{}}
	for name, value := range jsonpeek.Members(raw) {
		switch string(name) {
		case "httpMethod":
			r.http.Version = "1.0"
		case "headers", "multiValueHeaders":
			r.glimpseHeaders(value)
		}
	}
	return r
}

func (r *Request) glimpseHeaders(raw []byte) {
	for name, value := range jsonpeek.Members(raw) {
		if several := jsonpeek.First(value); several != nil {
			value = jsonpeek.Value(several)
		}
		if text := jsonpeek.Text(value); text != nil {
			r.headers[strings.ToLower(string(name))] = string(text)
		}
	}
}
