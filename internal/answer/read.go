package answer

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// What a gateway does not take for an answer. None of them repeats any of it.
var (
	ErrNoStatus = reason.New("answer of a handler: no status")
	ErrForm     = reason.New("answer of a handler")
	ErrList     = reason.New("list of values of a header")
	ErrBase64   = reason.New("base64 body")
)

// Status returns the status of an encoded answer to a request that asked for a
// form. It is 502, and ok false, for what the gateway does not take.
func Status(out []byte, form Form) (status int, ok bool) {
	w, err := walk(out, form, true)
	if err != nil {
		return http.StatusBadGateway, false
	}
	return w.status, true
}

// Read opens an encoded answer. One that is malformed is an error: taken for
// something else it could turn a 403, or what the gateway makes an error of,
// into a 200. An answer without a status is, in format 2.0 and in no other, a 200
// with the answer as its JSON body, or with the text that it is.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func Read(out []byte, form Form) (*Answer, error) {
	w, err := walk(out, form, false)
	if err != nil {
		return nil, err
	}
	a := New(w.status)
	if w.whole {
		a.Set("content-type", "application/json")
		a.Body, a.Whole = out, true
		if len(out) > 0 && out[0] == '"' {
			a.Body, _ = jsontext.AppendUnquote(nil, out)
		}
		return a, nil
	}
	a.Body = unquoted(out[w.bodyStart:w.bodyEnd])
	if w.isBase64 {
		n, err := base64.StdEncoding.Decode(a.Body, a.Body)
		if err != nil {
			return nil, ErrBase64
		}
		a.Body = a.Body[:n]
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
	dec                *jsontext.Decoder
	form               Form
	brief              bool // nothing but the status is asked for
	status             int
	whole              bool // there is no status
	single             []Field
	lists              []Field
	cookies            []string
	bodyStart, bodyEnd int64
	isBase64           bool
}

func walk(out []byte, form Form, brief bool) (*walker, error) {
	w := &walker{form: form, brief: brief, whole: true}
	if err := strictjson.Visit(out, w, jsontext.AllowDuplicateNames(true)); errors.Is(err, ErrList) {
		return nil, ErrList
	} else if err != nil {
		return nil, ErrForm // err may quote it
	}
	switch {
	case w.whole && form != Format2:
		return nil, ErrNoStatus
	case w.whole:
		w.status = http.StatusOK
	case w.status == 0:
		return nil, ErrForm
	}
	return w, nil
}

// UnmarshalJSONFrom walks over the answer.
func (w *walker) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	w.dec = dec
	if dec.PeekKind() != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	var wrong error
	err := w.members(func(name string) error {
		err := w.member(name)
		if errors.Is(err, ErrForm) || errors.Is(err, ErrList) { // unless it is a body alone
			wrong, err = err, nil
		}
		return err
	})
	if err == nil && !w.whole {
		err = wrong
	}
	return err
}

func (w *walker) members(each func(name string) error) error {
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	for w.dec.PeekKind() != jsontext.KindEndObject {
		name, err := w.dec.ReadValue()
		if err != nil {
			return err
		}
		if err := each(string(unquoted(name))); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

func (w *walker) member(name string) error {
	if w.brief && name != "statusCode" {
		return w.dec.SkipValue()
	}
	switch name {
	case "statusCode":
		value, err := w.dec.ReadValue()
		if !w.whole { // it is there twice, and readers differ in which they take
			return errors.Join(err, ErrForm)
		}
		w.whole = false
		w.status, _ = strconv.Atoi(string(bytes.Trim(value, `"`))) // the gateway takes it as a text, too
		if w.status < 100 || w.status > 599 {
			w.status = 0
		}
		return err
	case "body":
		value, err := w.dec.ReadValue()
		if err != nil || value.Kind() == jsontext.KindNull {
			return err
		}
		if value.Kind() != jsontext.KindString {
			return ErrForm
		}
		w.bodyEnd = w.dec.InputOffset()
		w.bodyStart = w.bodyEnd - int64(len(value))
		return nil
	case "isBase64Encoded":
		value, err := w.dec.ReadValue()
		w.isBase64 = value.Kind() == jsontext.KindTrue
		if err == nil && !w.isBase64 && value.Kind() != jsontext.KindFalse && value.Kind() != jsontext.KindNull {
			return ErrForm
		}
		return err
	case "cookies":
		return w.strings(func(value string) { w.cookies = append(w.cookies, value) })
	case "headers":
		return w.headers(&w.single, w.form == Lattice)
	case "multiValueHeaders":
		return w.headers(&w.lists, true)
	default:
		return w.dec.SkipValue()
	}
}

func (w *walker) headers(into *[]Field, lists bool) error {
	if w.dec.PeekKind() != jsontext.KindBeginObject {
		return w.other(jsontext.KindNull)
	}
	var wrong error
	err := w.members(func(name string) error {
		name = strings.ToLower(name)
		add := func(value string) { *into = append(*into, Field{name, value}) }
		var err error
		if w.dec.PeekKind() == jsontext.KindBeginArray {
			if err = w.strings(add); err == nil && !lists {
				err = ErrList
			}
		} else {
			err = w.string(add)
		}
		if errors.Is(err, ErrForm) || errors.Is(err, ErrList) {
			wrong, err = err, nil
		}
		return err
	})
	if err == nil {
		err = wrong
	}
	return err
}

// strings reads a list of strings, or a null.
func (w *walker) strings(add func(string)) error {
	if w.dec.PeekKind() != jsontext.KindBeginArray {
		return w.other(jsontext.KindNull)
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	var wrong error
	for w.dec.PeekKind() != jsontext.KindEndArray {
		switch err := w.string(add); {
		case errors.Is(err, ErrForm):
			wrong = err
		case err != nil:
			return err
		}
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	return wrong
}

// string reads a string, or the null that stands for an empty one.
func (w *walker) string(add func(string)) error {
	value, err := w.dec.ReadValue()
	switch {
	case err != nil:
		return err
	case value.Kind() != jsontext.KindString && value.Kind() != jsontext.KindNull:
		return ErrForm
	}
	add(string(unquoted(value)))
	return nil
}

// other skips a value, which is in order if it is of a kind.
func (w *walker) other(kind jsontext.Kind) error {
	in := w.dec.PeekKind() == kind
	if err := w.dec.SkipValue(); err != nil {
		return err
	}
	if !in {
		return ErrForm
	}
	return nil
}

// unquoted returns what a JSON string stands for, in memory of its own.
func unquoted(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	plain, _ := jsontext.AppendUnquote(nil, value)
	return plain
}
