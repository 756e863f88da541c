package answer

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// errForm is what a gateway does not take for an answer. It repeats none of it.
var errForm = reason.New("answer of a handler")

// Status returns the status of an encoded answer to a request that asked for a
// form. It is 502, and ok false, for what [Read] does not take.
func Status(out []byte, form Form) (status int, ok bool) {
	w := walker{form: form, brief: true}
	if _, err := w.read(out); err != nil {
		return http.StatusBadGateway, false
	}
	return w.status, true
}

// Read opens an encoded answer. What the gateway does not take is an error: taken
// for something else it could turn a 403, or what the gateway makes an error of,
// into a 200. Headers may be in either form of the formats, one value or a list,
// whichever the gateway asks for. An answer without a status is, in format 2.0
// and in no other, a 200 with the answer as its JSON body.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
func Read(out []byte, form Form) (*Answer, error) {
	w := walker{form: form}
	body, err := w.read(out)
	if err != nil {
		return nil, err
	}
	a := New(w.status)
	a.Body, a.Whole = body, w.whole
	if w.whole {
		a.Set("content-type", "application/json")
		return a, nil
	}
	header := http.Header{}
	for _, f := range w.lists { // a value that is in both forms is sent once
		header[f.Name] = append(header[f.Name], f.Value)
	}
	for _, f := range w.single {
		if !slices.Contains(header[f.Name], f.Value) {
			header[f.Name] = append(header[f.Name], f.Value)
		}
	}
	a.AddHeader(header)
	a.Cookies = append(a.Cookies, w.cookies...)
	return a, nil
}

// walker notes what an answer says.
type walker struct {
	dec      *jsontext.Decoder
	form     Form
	brief    bool // nothing but the status is kept
	status   int
	whole    bool // there is no status
	single   []Field
	lists    []Field
	cookies  []string
	body     span
	isBase64 bool
}

// span is where a value stands in the answer.
type span struct{ start, end int64 }

// read walks over an answer, and returns its body.
func (w *walker) read(out []byte) ([]byte, error) {
	w.whole = true
	err := strictjson.Visit(out, w, jsontext.AllowDuplicateNames(true))
	switch {
	case err != nil, w.whole && w.form != Format2:
		return nil, errForm // err may quote it
	case w.whole:
		w.status = http.StatusOK
		return out, nil
	case w.brief && !w.isBase64:
		return nil, nil
	}
	body := bytes.Clone(strictjson.Unquote(out[w.body.start:w.body.end]))
	if w.isBase64 {
		n, err := base64.StdEncoding.Decode(body, body)
		if err != nil {
			return nil, errForm
		}
		body = body[:n]
	}
	return body, nil
}

// UnmarshalJSONFrom walks over the answer.
func (w *walker) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	w.dec = dec
	if dec.PeekKind() != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	var wrong error
	err := w.members(func(name string) error { return first(&wrong, w.member(name)) })
	if err == nil && !w.whole { // unless it is a body alone
		err = wrong
	}
	return err
}

// first notes what is wrong with an answer, so that the walk goes on to its end.
func first(wrong *error, err error) error {
	if !errors.Is(err, errForm) {
		return err
	}
	*wrong = cmp.Or(*wrong, err)
	return nil
}

func (w *walker) members(each func(name string) error) error {
	return strictjson.Members(w.dec, func(name jsontext.Value) error { return each(string(strictjson.Unquote(name))) })
}

func (w *walker) member(name string) error {
	switch name {
	case "statusCode":
		value, err := w.dec.ReadValue()
		if !w.whole { // it is there twice, and readers differ in which they take
			return errors.Join(err, errForm)
		}
		w.whole = false
		if w.status = w.statusOf(value); err == nil && (w.status < 200 || w.status > 599) { // 1xx announce a response
			return errForm
		}
		return err
	case "body":
		value, err := w.value(jsontext.KindString)
		end := w.dec.InputOffset()
		w.body = span{end - int64(len(value)), end}
		return err
	case "isBase64Encoded":
		value, err := w.value(jsontext.KindTrue, jsontext.KindFalse)
		w.isBase64 = value.Kind() == jsontext.KindTrue
		return err
	case "statusDescription":
		if !w.balancer() {
			return w.dec.SkipValue()
		}
		_, err := w.value(jsontext.KindString)
		return err
	case "cookies":
		return w.list([]jsontext.Kind{jsontext.KindString}, func(cookie string) bool {
			w.cookies = append(w.cookies, cookie)
			return ValidValue(cookie)
		})
	case "headers":
		return w.headers(&w.single)
	case "multiValueHeaders":
		return w.headers(&w.lists)
	default:
		return w.dec.SkipValue()
	}
}

// balancer reports whether a load balancer is to take the answer. What may be left
// out may not be null there, a status is no text, and a header no number.
//
// https://github.com/aws/aws-lambda-dotnet/issues/507
// https://github.com/jeremydaly/lambda-api/issues/117
func (w *walker) balancer() bool { return w.form == Single || w.form == Lists }

// statusOf returns 0 for what is no status. API Gateway takes it as a text, too.
func (w *walker) statusOf(value jsontext.Value) int {
	if w.balancer() {
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

// value reads a value that has to be of a kind, or a null that stands for none.
func (w *walker) value(kinds ...jsontext.Kind) (jsontext.Value, error) {
	value, err := w.dec.ReadValue()
	kind := value.Kind()
	if err == nil && !slices.Contains(kinds, kind) && (kind != jsontext.KindNull || w.balancer()) {
		err = errForm
	}
	return value, err
}

// headers reads an object of headers, or a null. API Gateway takes numbers and
// booleans in it.
func (w *walker) headers(into *[]Field) error {
	if w.dec.PeekKind() == jsontext.KindNull && (into == &w.lists) != (w.form == Lists) {
		return w.dec.SkipValue() // of the form that is not looked at
	}
	if w.dec.PeekKind() != jsontext.KindBeginObject {
		_, err := w.value()
		return err
	}
	scalars := []jsontext.Kind{jsontext.KindString, jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse}
	if w.balancer() {
		scalars = scalars[:1]
	}
	var wrong error
	err := w.members(func(name string) error {
		f := Field{Name: strings.ToLower(name)}
		add := func(value string) bool {
			f.Value = value
			if !w.brief {
				*into = append(*into, f)
			}
			return f.Valid()
		}
		var err error
		switch isList := w.dec.PeekKind() == jsontext.KindBeginArray; {
		case into == &w.lists, isList && w.form == Lattice:
			err = w.list(scalars, add)
		case isList:
			err = cmp.Or(w.dec.SkipValue(), errForm)
		default:
			err = w.string(scalars, add)
		}
		return first(&wrong, err)
	})
	return cmp.Or(err, wrong)
}

// list reads a list of scalars, or a null. add reports whether it takes one.
func (w *walker) list(of []jsontext.Kind, add func(string) bool) error {
	if w.dec.PeekKind() != jsontext.KindBeginArray {
		value, err := w.dec.ReadValue()
		if err == nil && value.Kind() != jsontext.KindNull {
			err = errForm
		}
		return err
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	var wrong error
	for w.dec.PeekKind() != jsontext.KindEndArray {
		if err := first(&wrong, w.string(of, add)); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return cmp.Or(err, wrong)
}

// string reads a string or, where such kinds are taken, the text of another
// scalar.
func (w *walker) string(of []jsontext.Kind, add func(string) bool) error {
	value, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	if kind := value.Kind(); !slices.Contains(of, kind) {
		return errForm
	} else if kind == jsontext.KindString {
		value = strictjson.Unquote(value)
	}
	if !add(string(value)) {
		return errForm
	}
	return nil
}
