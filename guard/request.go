package guard

import (
	"bytes"
	"errors"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// Request is what most layers need of an HTTP request. The event behind it has
// been checked as strictly as by [Event.HTTP], and what nobody asks for is not
// decoded, which takes half the time. What the gateway says of the caller is the
// exception: its form is checked where it is read, by HTTP.
type Request struct {
	Version        string // of the payload format, "2.0" or "1.0"
	Method         string
	RouteKey       string // "POST /orders", or "$default"; "" of VPC Lattice
	RawPath        string
	RawQueryString string
	Stage          string
	DomainName     string

	raw  []byte
	in   *envelope                       // of format 2.0
	full *events.APIGatewayV2HTTPRequest // of another form, given that of 2.0
}

// envelope is a request of payload format 2.0 that knows of most members no
// more than where they stand. It has all that AWS sends, so that a member that
// it does not have is compared with those that it has.
type envelope struct {
	Version               string     `json:"version"`
	RouteKey              string     `json:"routeKey"`
	RawPath               string     `json:"rawPath"`
	RawQueryString        string     `json:"rawQueryString"`
	Cookies               stringList `json:"cookies"`
	Headers               stringMap  `json:"headers"`
	QueryStringParameters stringMap  `json:"queryStringParameters"`
	PathParameters        stringMap  `json:"pathParameters"`
	StageVariables        stringMap  `json:"stageVariables"`
	Body                  text       `json:"body"`
	IsBase64Encoded       bool       `json:"isBase64Encoded"`
	RequestContext        struct {
		RouteKey       text   `json:"routeKey"`
		AccountID      text   `json:"accountId"`
		Stage          string `json:"stage"`
		RequestID      text   `json:"requestId"`
		Authorizer     span   `json:"authorizer"`
		APIID          text   `json:"apiId"`
		DomainName     string `json:"domainName"`
		DomainPrefix   text   `json:"domainPrefix"`
		Time           text   `json:"time"`
		TimeEpoch      int64  `json:"timeEpoch"`
		Authentication span   `json:"authentication"`
		HTTP           struct {
			Method    string `json:"method"`
			Path      text   `json:"path"`
			Protocol  text   `json:"protocol"`
			SourceIP  text   `json:"sourceIp"`
			UserAgent text   `json:"userAgent"`
		} `json:"http"`
	} `json:"requestContext"`
}

// span is where a value stands in the payload; the zero value is nowhere.
type span struct{ start, end int64 }

// text, stringMap and stringList are spans of what their names say, or of null.
type (
	text       span
	stringMap  span
	stringList span
)

func (s *span) read(dec *jsontext.Decoder) (jsontext.Value, error) {
	value, err := dec.ReadValue()
	s.end = dec.InputOffset()
	s.start = s.end - int64(len(value))
	return value, err
}

func (s *span) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	_, err := s.read(dec)
	return err
}

func (t *text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := (*span)(t).read(dec)
	if err == nil && !textual(value) {
		return errors.New("not a string")
	}
	return err
}

func (m *stringMap) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := (*span)(m).read(dec)
	if err != nil || value.Kind() == jsontext.KindNull {
		return err
	}
	if value.Kind() != jsontext.KindBeginObject {
		return errors.New("not an object")
	}
	for _, member := range jsonpeek.Members(value) {
		if !textual(member) {
			return errors.New("not an object of strings")
		}
	}
	return nil
}

func (l *stringList) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := (*span)(l).read(dec)
	if err != nil || value.Kind() == jsontext.KindNull {
		return err
	}
	var list []string
	return json.Unmarshal(value, &list)
}

// textual reports whether a raw value is a string, or the null that stands for
// an empty one.
func textual(value []byte) bool { return value[0] == '"' || value[0] == 'n' }

// at gives the raw value of a span, nil where there is none.
func (r *Request) at(s span) []byte { return r.raw[s.start:s.end] }

// Header gives the value of a header, its name in any case, "" when it is not
// there. Several values are joined by a comma, as the gateway does; they are
// never split again.
func (r *Request) Header(name string) string {
	if r.full != nil {
		return r.full.Headers[fieldlines.Key(name)]
	}
	var value string
	var others []fieldlines.Line // of other spellings, which only a forged event has
	var spelling string
	for key, raw := range jsonpeek.Members(r.at(span(r.in.Headers))) {
		escaped := bytes.IndexByte(key, '\\') >= 0
		if !escaped && len(key) != len(name) {
			continue
		}
		this := unquote(key)
		switch {
		case !fieldlines.Same(this, name):
		case spelling == "":
			spelling, value = this, unquoteValue(raw)
		default:
			others = append(others, fieldlines.Line{Name: this, Value: unquoteValue(raw)})
		}
	}
	if len(others) == 0 {
		return value
	}
	return fieldlines.Combine(append(others, fieldlines.Line{Name: spelling, Value: value}))[0].Value
}

// Identified reports whether the request carries credentials, or a caller that
// the gateway has made out from some.
func (r *Request) Identified() bool {
	if r.Header("authorization") != "" || r.Header("cookie") != "" {
		return true
	}
	if r.full != nil {
		return len(r.full.Cookies) > 0 || r.full.RequestContext.Authorizer != nil
	}
	return len(r.at(span(r.in.Cookies))) > len("null") || len(r.at(r.in.RequestContext.Authorizer)) > len("null")
}

// unquote reads a member's name as it stands in the text, without its quotes.
func unquote(name []byte) string {
	if bytes.IndexByte(name, '\\') < 0 {
		return string(name)
	}
	return unquoteValue(append(append([]byte{'"'}, name...), '"'))
}

// unquoteValue reads a raw string that has been checked; null is "".
func unquoteValue(raw []byte) string {
	plain, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return ""
	}
	return string(plain)
}

// newRequest reads a request of payload format 2.0.
func newRequest(raw []byte, limits Limits) (*Request, error) {
	in := new(envelope)
	if err := decode(raw, in, limits, nil); err != nil {
		return nil, err
	}
	if in.RequestContext.HTTP.Method == "" {
		return nil, notHTTP()
	}
	return &Request{
		Version:        in.Version,
		Method:         in.RequestContext.HTTP.Method,
		RouteKey:       in.RouteKey,
		RawPath:        in.RawPath,
		RawQueryString: in.RawQueryString,
		Stage:          in.RequestContext.Stage,
		DomainName:     in.RequestContext.DomainName,
		raw:            raw,
		in:             in,
	}, nil
}

// upgraded is a request of payload format 1.0, or of VPC Lattice.
func upgraded(full *events.APIGatewayV2HTTPRequest) *Request {
	return &Request{
		Version:        full.Version,
		Method:         full.RequestContext.HTTP.Method,
		RouteKey:       full.RouteKey,
		RawPath:        full.RawPath,
		RawQueryString: full.RawQueryString,
		Stage:          full.RequestContext.Stage,
		DomainName:     full.RequestContext.DomainName,
		full:           full,
	}
}

// body gives the body as the event has it, and whether that is base64.
func (r *Request) body() (text []byte, encoded bool) {
	if r.full != nil {
		return []byte(r.full.Body), r.full.IsBase64Encoded
	}
	if raw := r.at(span(r.in.Body)); len(raw) > 0 && raw[0] == '"' {
		text, _ = jsontext.AppendUnquote(nil, raw) // checked to be a string
	}
	return text, r.in.IsBase64Encoded
}
