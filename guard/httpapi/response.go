package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/guard"
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

// maxAnswer is how large an answer Lambda takes from a function, in bytes. One
// that is larger ends the process.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxAnswer = 6*1024*1024 + 100

// field is a header with one value; the name is in lower case.
type field struct{ name, value string }

// response is a Response on its way out, in a form that is cheap to extend.
type response struct {
	status  int
	fields  []field // in order, a name perhaps several times
	cookies []string
	body    []byte
	room    [10]field // for fields, as many as most responses have
}

func newResponse(status int) *response {
	res := &response{status: status}
	res.fields = res.room[:0]
	return res
}

func (r Response) internal() *response {
	res := newResponse(r.Status)
	if res.status == 0 {
		res.status = http.StatusOK
	}
	res.body = r.Body
	res.addHeader(r.Header)
	return res
}

// unsendable are headers about the connection to the client and the length of
// what is sent there: the gateway's to set (RFC 9110, sections 6.6.2 and 7.6.1).
var unsendable = []string{"connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"}

// addHeader adds what h holds, in the order of its names.
func (r *response) addHeader(h http.Header) {
	if len(h) == 0 {
		return
	}
	start := len(r.fields)
	for name, values := range h {
		name = strings.ToLower(name)
		switch {
		case name == "set-cookie":
			r.cookies = append(r.cookies, values...)
			continue
		case slices.Contains(unsendable, name):
			continue
		}
		for _, value := range values {
			r.fields = append(r.fields, field{name, value})
		}
	}
	slices.SortStableFunc(r.fields[start:], func(a, b field) int { return strings.Compare(a.name, b.name) })
}

// get gives the first value of a lower-case name.
func (r *response) get(name string) (string, bool) {
	for _, f := range r.fields {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}

func (r *response) set(name, value string) {
	r.del(name)
	r.fields = append(r.fields, field{name, value})
}

func (r *response) setDefault(name, value string) {
	if _, ok := r.get(name); !ok {
		r.fields = append(r.fields, field{name, value})
	}
}

func (r *response) del(name string) {
	r.fields = slices.DeleteFunc(r.fields, func(f field) bool { return f.name == name })
}

// form is what an answer has to look like for what sent the event.
type form byte

const (
	format2 form = iota // payload format 2.0
	format1             // payload format 1.0
	lattice             // VPC Lattice
	single              // a load balancer that does not take lists
)

// encode writes the response in a form.
func (r *response) encode(f form) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if bodiless(r.status) {
		r.body = nil
	}
	size := 96 + len(r.body) + len(r.body)/8
	for _, f := range r.fields {
		size += len(f.name) + len(f.value) + 6
	}
	out := make([]byte, 0, size)
	out = append(out, `{"statusCode":`...)
	out = strconv.AppendInt(out, int64(r.status), 10)
	switch f {
	case format1:
		out = r.appendFields1(out)
	case lattice:
		out = r.appendFieldsLattice(out)
	case single:
		out = r.appendFieldsSingle(out)
	default:
		out = r.appendFields2(out)
	}
	_, packed := r.get("content-encoding")
	if packed || !utf8.Valid(r.body) {
		out = append(out, `,"body":"`...)
		out = base64.StdEncoding.AppendEncode(out, r.body)
		out = append(out, `","isBase64Encoded":true}`...)
	} else {
		out = append(out, `,"body":`...)
		out = quote(out, r.body)
		out = append(out, `,"isBase64Encoded":false}`...)
	}
	if len(out) > maxAnswer {
		return nil, tooLarge()
	}
	return out, nil
}

// check refuses what would be a malformed response, or one with headers that
// the handler did not mean to send.
func (r *response) check() error {
	if r.status < 200 || r.status > 599 { // 1xx announce a response
		return invalidResponse("status %d", r.status)
	}
	for _, f := range r.fields {
		if !f.valid() {
			return invalidResponse("header %q", f.name)
		}
	}
	for _, c := range r.cookies {
		if !validValue(c) {
			return invalidResponse("a cookie")
		}
	}
	return nil
}

// bodiless reports whether a response of that status has no body (RFC 9110,
// section 6.4.1).
func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

func tooLarge() error {
	return guard.Errorf(guard.Internal, "response_too_large", "The response is larger than the platform takes.")
}

func invalidResponse(format string, args ...any) error {
	return &guard.Error{Kind: guard.Internal, Code: "invalid_response", Err: fmt.Errorf("httpapi: invalid "+format, args...)}
}

func (f field) valid() bool { return validName(f.name) && validValue(f.value) }

// validValue reports whether value has no control characters but tabs (RFC 9110,
// section 5.5), and can be told in JSON.
func validValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(value)
}

// validName reports whether name is a token (RFC 9110, section 5.6.2).
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return name != ""
}

func (r *response) appendFields2(out []byte) []byte {
	out = append(r.appendJoined(out), '}')
	if len(r.cookies) > 0 {
		out = append(out, `,"cookies":`...)
		out = appendStrings(out, r.cookies)
	}
	return out
}

// appendFieldsLattice has a list for several cookies, as Lattice has one for
// several values itself; joined they would be one that is malformed.
func (r *response) appendFieldsLattice(out []byte) []byte {
	out = r.appendJoined(out)
	if len(r.cookies) > 0 {
		if len(r.fields) > 0 {
			out = append(out, ',')
		}
		out = append(out, `"set-cookie":`...)
		if len(r.cookies) == 1 {
			out = quote(out, r.cookies[0])
		} else {
			out = appendStrings(out, r.cookies)
		}
	}
	return append(out, '}')
}

// appendJoined begins the object of the headers, each with one value.
func (r *response) appendJoined(out []byte) []byte {
	out = append(out, `,"headers":{`...)
	for i, f := range r.fields {
		if slices.ContainsFunc(r.fields[:i], func(g field) bool { return g.name == f.name }) {
			continue // joined where the name came first
		}
		if i > 0 {
			out = append(out, ',')
		}
		value := f.value
		for _, g := range r.fields[i+1:] {
			if g.name == f.name {
				value += ", " + g.value
			}
		}
		out = quote(out, f.name)
		out = append(out, ':')
		out = quote(out, value)
	}
	return out
}

func (r *response) appendFields1(out []byte) []byte {
	out = append(out, `,"multiValueHeaders":{`...)
	fields := r.fields
	for _, c := range r.cookies {
		fields = append(fields, field{"set-cookie", c})
	}
	first := true
	for i, f := range fields {
		if slices.ContainsFunc(fields[:i], func(g field) bool { return g.name == f.name }) {
			continue
		}
		values := []string{f.value}
		for _, g := range fields[i+1:] {
			if g.name == f.name {
				values = append(values, g.value)
			}
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = quote(out, f.name)
		out = append(out, ':')
		out = appendStrings(out, values)
	}
	return append(out, '}')
}

func appendStrings(out []byte, values []string) []byte {
	out = append(out, '[')
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = quote(out, v)
	}
	return append(out, ']')
}

// quote appends text as a JSON string. It has been checked to be UTF-8.
func quote[T ~[]byte | ~string](out []byte, text T) []byte {
	out, _ = jsontext.AppendQuote(out, text)
	return out
}
