package httpapi

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// foreign is the answer of a handler that is not of this package, in either
// payload format.
type foreign struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// parseResponse opens an encoded answer. One without a status code is what a
// gateway makes a 200 of, with the answer as its JSON body.
func parseResponse(out []byte) (*response, error) {
	var f foreign
	if err := json.Unmarshal(out, &f); err != nil || f.StatusCode == 0 {
		res := newResponse(http.StatusOK)
		res.set("content-type", "application/json")
		res.body = out
		return res, nil
	}
	res := newResponse(f.StatusCode)
	res.cookies = f.Cookies
	res.body = []byte(f.Body)
	if f.IsBase64Encoded {
		n, err := base64.StdEncoding.Decode(res.body, res.body)
		if err != nil {
			return nil, invalidResponse("base64 body")
		}
		res.body = res.body[:n]
	}
	for name, value := range f.Headers {
		if _, several := f.MultiValueHeaders[name]; !several {
			res.addHeader(http.Header{name: {value}})
		}
	}
	res.addHeader(f.MultiValueHeaders)
	for i := range res.fields {
		res.fields[i].name = strings.ToLower(res.fields[i].name)
	}
	return res, nil
}
