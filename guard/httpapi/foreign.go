package httpapi

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// foreign is the answer of a handler that is not of this package, in any form.
type foreign struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]values   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// values are those of a header: one, or for VPC Lattice a list.
type values struct {
	all  []string
	list bool
}

func (v *values) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if v.list = dec.PeekKind() == jsontext.KindBeginArray; v.list {
		return json.UnmarshalDecode(dec, &v.all)
	}
	v.all = make([]string, 1)
	return json.UnmarshalDecode(dec, &v.all[0])
}

// parseResponse opens an encoded answer to a request that asked for a form. One
// that is malformed is refused: sent as something else it could turn a 403, or
// what the gateway makes an error of, into a 200.
func parseResponse(out []byte, asked form) (*response, error) {
	if jsonpeek.Lookup(out, "statusCode") == nil {
		if asked != format2 || len(out) > 0 && !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true)) {
			return nil, invalidResponse("answer of a handler: no status")
		}
		return bareResponse(out), nil
	}
	var f foreign
	if err := json.Unmarshal(out, &f); err != nil {
		return nil, invalidResponse("answer of a handler") // err may quote it
	}
	res := newResponse(f.StatusCode)
	res.body = []byte(f.Body)
	if f.IsBase64Encoded {
		n, err := base64.StdEncoding.Decode(res.body, res.body)
		if err != nil {
			return nil, invalidResponse("base64 body")
		}
		res.body = res.body[:n]
	}
	header, ok := f.header(asked == lattice)
	if !ok {
		return nil, invalidResponse("list of values of a header")
	}
	res.addHeader(header)
	res.cookies = append(res.cookies, f.Cookies...)
	return res, nil
}

// bareResponse is what a gateway makes of an answer without a status code in
// format 2.0, and in no other: a 200 with the answer as its JSON body, or with
// the text that it is.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func bareResponse(out []byte) *response {
	res := newResponse(http.StatusOK)
	res.set("content-type", "application/json")
	res.body = out
	var text string
	if json.Unmarshal(out, &text) == nil {
		res.body = []byte(text)
	}
	return res
}

// header merges the two forms as a gateway does: a value that is in both is
// sent once. A list where none may be is not ok.
func (f *foreign) header(lists bool) (all http.Header, ok bool) {
	all = make(http.Header, len(f.Headers)+len(f.MultiValueHeaders))
	for name, values := range f.MultiValueHeaders {
		name = strings.ToLower(name)
		all[name] = append(all[name], values...)
	}
	for name, v := range f.Headers {
		if v.list && !lists {
			return nil, false
		}
		name = strings.ToLower(name)
		for _, value := range v.all {
			if !slices.Contains(all[name], value) {
				all[name] = append(all[name], value)
			}
		}
	}
	return all, true
}
