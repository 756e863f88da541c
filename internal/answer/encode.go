package answer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Max is how large an answer Lambda takes from a function, in bytes. A larger one
// ends the process.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const Max = 6*1024*1024 + 100

// ErrTooLarge reports an answer of more than [Max] bytes.
var ErrTooLarge = reason.New("the response is larger than the platform takes")

// Encode writes the answer in a form. A body that is not UTF-8, or is compressed,
// goes through base64. The error is [ErrTooLarge], or says what is malformed.
func (a *Answer) Encode(form Form) ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if Bodiless(a.Status) {
		a.Body = nil
	}
	size := 96 + len(a.Body) + len(a.Body)/8
	for _, f := range a.Fields {
		size += len(f.Name) + len(f.Value) + 6
	}
	out := append(make([]byte, 0, size), `{"statusCode":`...)
	out = strconv.AppendInt(out, int64(a.Status), 10)
	out = a.appendHeaders(out, form)
	if form == Format2 && len(a.Cookies) > 0 {
		out = appendList(append(out, `,"cookies":`...), a.Cookies)
	}
	out = append(out, `,"body":`...)
	_, compressed := a.Get("content-encoding")
	packed := compressed || !utf8.Valid(a.Body)
	if packed {
		out = append(base64.StdEncoding.AppendEncode(append(out, '"'), a.Body), '"')
	} else {
		out = quote(out, a.Body)
	}
	out = append(out, `,"isBase64Encoded":`...)
	out = append(strconv.AppendBool(out, packed), '}')
	if len(out) > Max {
		return nil, ErrTooLarge
	}
	return out, nil
}

// check refuses a malformed response, and values that would add headers to it.
func (a *Answer) check() error {
	if a.Status < 200 || a.Status > 599 { // 1xx announce a response
		return fmt.Errorf("status %d", a.Status)
	}
	for _, f := range a.Fields {
		if !f.Valid() {
			return fmt.Errorf("header %q", f.Name)
		}
	}
	if slices.ContainsFunc(a.Cookies, func(c string) bool { return !ValidValue(c) }) {
		return reason.New("a cookie")
	}
	return nil
}

// appendHeaders writes each name once. Several values are a list in format 1.0 and
// for a load balancer that takes lists, and joined by a comma elsewhere. Cookies
// are never joined, as a comma can be part of one. Format 2.0 has a list of its own
// for them, VPC Lattice takes a list, and a load balancer several spellings of the
// name.
func (a *Answer) appendHeaders(out []byte, form Form) []byte {
	lists := form == Format1 || form == Lists
	if lists {
		out = append(out, `,"multiValueHeaders":{`...)
	} else {
		out = append(out, `,"headers":{`...)
	}
	member := func(name string) {
		if out[len(out)-1] != '{' {
			out = append(out, ',')
		}
		out = append(quote(out, name), ':')
	}
	var values []string
	for i, f := range a.Fields {
		if slices.ContainsFunc(a.Fields[:i], f.hasNameOf) {
			continue // written where the name came first
		}
		values = values[:0]
		for _, g := range a.Fields[i:] {
			if g.hasNameOf(f) {
				values = append(values, g.Value)
			}
		}
		if member(f.Name); lists {
			out = appendList(out, values)
		} else {
			out = quote(out, strings.Join(values, ", "))
		}
	}
	switch {
	case len(a.Cookies) == 0 || form == Format2:
	case form == Single:
		for i, c := range a.Cookies {
			member(spelling("set-cookie", i))
			out = quote(out, c)
		}
	case form == Lattice && len(a.Cookies) == 1:
		member("set-cookie")
		out = quote(out, a.Cookies[0])
	default:
		member("set-cookie")
		out = appendList(out, a.Cookies)
	}
	return append(out, '}')
}

func (f Field) hasNameOf(g Field) bool { return f.Name == g.Name }

// spelling is name with those letters in upper case whose bit is set in i.
func spelling(name string, i int) string {
	spelled := []byte(name)
	for at, c := range spelled {
		if 'a' <= c && c <= 'z' {
			if i&1 != 0 {
				spelled[at] -= 'a' - 'A'
			}
			i >>= 1
		}
	}
	return string(spelled)
}

func appendList(out []byte, values []string) []byte {
	out = append(out, '[')
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = quote(out, v)
	}
	return append(out, ']')
}

// quote appends a text that is known to be UTF-8 as a JSON string.
func quote[T ~[]byte | ~string](out []byte, text T) []byte {
	out, _ = jsontext.AppendQuote(out, text)
	return out
}

// JSON encodes a value as [lambda.NewHandler] does, without escapes for HTML.
//
// [lambda.NewHandler]: https://pkg.go.dev/github.com/aws/aws-lambda-go/lambda#NewHandler
func JSON(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'}), err
}
