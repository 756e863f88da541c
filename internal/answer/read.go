package answer

import (
	"encoding/base64"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// errForm reports an answer that a gateway does not accept. It contains none of its
// text.
var errForm = reason.New("answer of a handler")

// Status returns the status of an encoded answer to a request that asked for a
// form. It returns 502 and false for an answer that [Read] refuses.
func Status(out []byte, form Form) (status int, ok bool) {
	a, err := Read(out, form)
	if err != nil {
		return http.StatusBadGateway, false
	}
	return a.Status, true
}

// Read parses an encoded answer. An answer that the gateway does not accept is an
// error: a lenient reader could turn a 403 into a 200. Headers may have one value
// or a list in every form. An answer without a status is, in format 2.0 alone, a
// 200 with the answer as its JSON body.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
func Read(out []byte, form Form) (*Answer, error) {
	m := members{form: form}
	tolerant := jsontext.AllowDuplicateNames(true)
	switch value := jsontext.Value(out); {
	case value.Kind() != jsontext.KindBeginObject:
		if !value.IsValid(tolerant) {
			return nil, errForm
		}
	case json.Unmarshal(out, &m, tolerant) != nil: // whose error may quote it
		return nil, errForm
	}
	if m.StatusCode.value == nil {
		if form != Format2 {
			return nil, errForm
		}
		a := New(http.StatusOK)
		a.Body, a.Whole = out, true
		a.Set("content-type", "application/json")
		return a, nil
	}
	a, ok := m.answer()
	if !ok {
		return nil, errForm
	}
	return a, nil
}

// members are the members of an answer that a gateway reads.
type members struct {
	form              Form
	StatusCode        status         `json:"statusCode"`
	StatusDescription jsontext.Value `json:"statusDescription"`
	Headers           headers        `json:"headers"`
	MultiValueHeaders headers        `json:"multiValueHeaders"`
	Cookies           jsontext.Value `json:"cookies"`
	Body              jsontext.Value `json:"body"`
	IsBase64Encoded   jsontext.Value `json:"isBase64Encoded"`
}

// status must not be there twice, as readers differ in which one they use.
type status struct {
	value jsontext.Value
	twice bool
}

func (s *status) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	s.value, s.twice = value.Clone(), s.value != nil
	return err
}

// headers are the members of an object of headers, in order.
type headers struct {
	kind jsontext.Kind // of the value, which need not be an object; 0 if there is none
	all  []header
}

type header struct {
	name  string
	value jsontext.Value
}

func (h *headers) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if h.kind = dec.PeekKind(); h.kind != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	return strictjson.Members(dec, func(quoted jsontext.Value) error {
		name := string(strictjson.Unquote(quoted))
		value, err := dec.ReadValue()
		h.all = append(h.all, header{name, value.Clone()})
		return err
	})
}

func (m *members) answer() (*Answer, bool) {
	a := New(m.status())
	if m.StatusCode.twice || a.Status < 200 || a.Status > 599 { // 1xx announce a response
		return nil, false
	}
	if !m.is(m.Body, jsontext.KindString) || !m.is(m.IsBase64Encoded, jsontext.KindTrue, jsontext.KindFalse) ||
		m.balancer() && !m.is(m.StatusDescription, jsontext.KindString) {
		return nil, false
	}
	a.Body = strictjson.Unquote(m.Body)
	if m.IsBase64Encoded.Kind() == jsontext.KindTrue {
		n, err := base64.StdEncoding.Decode(a.Body, a.Body)
		if err != nil {
			return nil, false
		}
		a.Body = a.Body[:n]
	}
	if !m.addHeaders(a, &m.MultiValueHeaders, true) || !m.addHeaders(a, &m.Headers, false) {
		return nil, false
	}
	a.sort()
	cookies, ok := texts(m.Cookies, jsontext.KindString)
	a.Cookies = append(a.Cookies, cookies...)
	return a, ok && !slices.ContainsFunc(cookies, func(c string) bool { return !ValidValue(c) })
}

// balancer reports whether a load balancer takes the answer. It refuses null for an
// optional member, a string for the status, and a number for a header.
//
// https://github.com/aws/aws-lambda-dotnet/issues/507
// https://github.com/jeremydaly/lambda-api/issues/117
func (m *members) balancer() bool { return m.form == Single || m.form == Lists }

// status returns 0 for an invalid status. API Gateway also takes a string.
func (m *members) status() int {
	value := m.StatusCode.value
	if m.balancer() {
		n, err := strconv.ParseFloat(string(value), 64)
		if err != nil || n != math.Trunc(n) || math.Abs(n) > 999 {
			return 0
		}
		return int(n)
	}
	if value.Kind() == jsontext.KindString {
		value = strictjson.Unquote(value)
	}
	n, _ := strconv.Atoi(string(value))
	return n
}

// is reports whether a value is left out or of one of the kinds.
func (m *members) is(value jsontext.Value, kinds ...jsontext.Kind) bool {
	kind := value.Kind()
	return value == nil || slices.Contains(kinds, kind) || kind == jsontext.KindNull && !m.balancer()
}

// addHeaders adds the headers of an object, and reports whether it is one. A value
// that both objects have is added once. API Gateway takes numbers and booleans for
// values.
func (m *members) addHeaders(a *Answer, h *headers, lists bool) bool {
	switch h.kind {
	case 0:
		return true
	case jsontext.KindNull: // a load balancer takes it for the object that it does not look at
		return !m.balancer() || lists != (m.form == Lists)
	case jsontext.KindBeginObject:
	default:
		return false
	}
	kinds := []jsontext.Kind{jsontext.KindString, jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse}
	if m.balancer() {
		kinds = kinds[:1]
	}
	for _, f := range h.all {
		name := strings.ToLower(f.name)
		var values []string
		var ok bool
		if lists || m.form == Lattice && f.value.Kind() == jsontext.KindBeginArray {
			values, ok = texts(f.value, kinds...)
		} else {
			values = make([]string, 1)
			values[0], ok = text(f.value, kinds)
		}
		for _, v := range values {
			if ok = ok && (Field{name, v}).Valid(); !ok {
				return false
			}
			if lists || !a.has(name, v) {
				a.add(name, v)
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// texts returns the values of a list, none for null, and reports whether all are
// of the kinds.
func texts(list jsontext.Value, kinds ...jsontext.Kind) (all []string, ok bool) {
	if list == nil {
		return nil, true
	}
	var values []jsontext.Value
	if json.Unmarshal(list, &values) != nil {
		return nil, false
	}
	all = make([]string, len(values))
	for i, v := range values {
		if all[i], ok = text(v, kinds); !ok {
			return nil, false
		}
	}
	return all, true
}

func text(v jsontext.Value, kinds []jsontext.Kind) (string, bool) {
	kind := v.Kind()
	if kind == jsontext.KindString {
		v = strictjson.Unquote(v)
	}
	return string(v), slices.Contains(kinds, kind)
}
