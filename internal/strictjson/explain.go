package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	v1 "github.com/go-json-experiment/json/v1"
)

// explain turns the decoder's error into one that contains no input.
func explain(data []byte, err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok { // it may wrap a syntactic one of a string's content
		return &Error{Code: WrongType, Pointer: ShortPointer(string(semantic.JSONPointer)), Reason: mismatch(semantic)}
	}
	return explainSyntax(data, err)
}

// explainSyntax explains a syntax error, and returns any other error unchanged.
func explainSyntax(data []byte, other error) error {
	err, ok := errors.AsType[*jsontext.SyntacticError](other)
	if !ok {
		return other
	}
	e := &Error{Code: Malformed, Pointer: ShortPointer(string(err.JSONPointer))}
	at := min(int(err.ByteOffset), len(data))
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		e.Code, e.Reason = DuplicateName, duplicateReason
	case len(bytes.TrimSpace(data)) == 0:
		e.Reason = "there is no JSON value"
	case err.JSONPointer == "" && jsontext.Value(data[:at]).IsValid(jsontext.AllowDuplicateNames(true)):
		e.Code, e.Reason = TrailingData, fmt.Sprintf("data follows the JSON value, at byte %d", at)
	case startsInvalidUTF8(data[at:]):
		e.Code, e.Reason = InvalidUTF8, fmt.Sprintf("invalid UTF-8 at byte %d", at)
	default:
		e.Reason = fmt.Sprintf("not valid JSON at byte %d", at)
	}
	return e
}

func startsInvalidUTF8(data []byte) bool {
	r, size := utf8.DecodeRune(data)
	return r == utf8.RuneError && size == 1
}

func mismatch(err *json.SemanticError) string {
	want := wanted(err.GoType)
	switch {
	case want == "":
		return "the value does not fit here"
	case err.JSONKind == jsontext.KindBeginObject && want == "object": // which has no exported fields
		return "an object has no place here"
	case err.JSONKind == jsontext.KindNumber && want == "number":
		return "the number is out of range or not whole"
	case err.JSONKind == jsontext.KindString && want == "string":
		return "the string has the wrong form"
	case want == "object" || want == "array":
		return "must be an " + want
	default:
		return "must be a " + want
	}
}

// wanted names the JSON kind that a Go type is decoded from, "" for one that
// decodes itself.
func wanted(t reflect.Type) string {
	if t == nil {
		return ""
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == numberType, t == reflect.TypeFor[v1.Number]():
		return "number"
	case opaque(t):
		return ""
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "object"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8, t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8:
		return "string"
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		return "array"
	case isInteger(t), t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return "number"
	default:
		return ""
	}
}

// maxPointer limits a pointer in an error, in bytes, as callers choose the names in
// it.
const maxPointer = 256

// ShortPointer cuts a pointer that is too long to be shown, at a whole character.
func ShortPointer(pointer string) string {
	if len(pointer) <= maxPointer {
		return pointer
	}
	return strings.ToValidUTF8(pointer[:maxPointer], "") + "…"
}
