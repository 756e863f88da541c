// Package strictjson decodes JSON that has exactly one meaning.
//
// encoding/json matches member names without regard to case, keeps the last of
// two equal names, replaces invalid UTF-8 and, in a stream, ignores what
// follows the first value. Two readers of one text can then see two documents:
// the schema that checked "role" and the struct that was filled from "ROLE".
// Here such a text is an error before a value is built from it. What is
// accepted decodes to what encoding/json would have made of it.
package strictjson

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	v1 "github.com/go-json-experiment/json/v1"
)

// Code says which rule a text breaks. It is stable: callers match on it.
type Code string

// The codes of an [Error].
const (
	Malformed     Code = "malformed_json"
	DuplicateName Code = "duplicate_member"
	CaseVariant   Code = "case_variant_member"
	TrailingData  Code = "trailing_data"
	InvalidUTF8   Code = "invalid_utf8"
	UnknownName   Code = "unknown_member"
	WrongType     Code = "wrong_type"
	TooDeep       Code = "json_too_deep"
	TooManyNodes  Code = "json_too_many_values"
)

// Error is a text that was refused. Neither its text nor its fields repeat a
// value of the input; the pointer names members, shortened when they are long.
type Error struct {
	Code    Code
	Pointer string // RFC 6901, of the offending value or member; "" is the whole text
	Offset  int64  // bytes into the text, or 0 when it is not known
	Reason  string // a clause without the input in it
}

func (e *Error) Error() string {
	if e.Pointer == "" {
		return fmt.Sprintf("json: %s", e.Reason)
	}
	return fmt.Sprintf("json: %s at %q", e.Reason, e.Pointer)
}

// LogValue is the code. The pointer may have names that a caller has chosen.
func (e *Error) LogValue() slog.Value { return slog.StringValue(string(e.Code)) }

// Options change what is accepted beside the syntax.
type Options struct {
	// RejectUnknown refuses members that the Go type has no place for.
	RejectUnknown bool
}

// compatible keeps the meaning that encoding/json gives to an accepted text,
// and takes back what makes a text ambiguous. numbers is whether the type has a
// json.Number somewhere, which is to be decoded as the decoder's own type of that
// name.
func compatible(numbers, rejectUnknown bool) json.Options {
	options := json.JoinOptions(
		v1.DefaultOptionsV1(),
		v1.ReportErrorsWithLegacySemantics(false),
		json.MatchCaseInsensitiveNames(false),
		json.RejectUnknownMembers(rejectUnknown),
		jsontext.AllowDuplicateNames(false),
		jsontext.AllowInvalidUTF8(false),
	)
	if !numbers {
		return options
	}
	return json.JoinOptions(options, json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, n *stdjson.Number) error {
		return (*v1.Number)(n).UnmarshalJSONFrom(dec)
	})))
}

// Unmarshal decodes the one value in data into v, a non-nil pointer to a zero
// value. The error is an [*Error], a [TypeError], or what an
// UnmarshalJSON method of the caller's own returned.
func Unmarshal(data []byte, v any, opts Options) error {
	r := rootOf(reflect.TypeOf(v).Elem())
	if r.err != nil {
		return r.err
	}
	how := r.lenient
	if opts.RejectUnknown {
		how = r.strict
	}
	if !r.merging {
		loose, err := unique(data)
		if err != nil {
			return err
		}
		if loose != nil {
			how = json.JoinOptions(how, loose)
		}
	}
	if err := json.Unmarshal(data, v, how); err != nil {
		return explain(data, err, r)
	}
	w := walk{data: data}
	if w.next() == 'n' && !r.nullable {
		return w.wrong("must be an object, not null")
	}
	if e := w.value(r.place); e != nil {
		return e
	}
	return nil
}

// explain turns the decoder's error into one that repeats no input.
func explain(data []byte, err error, r *root) error {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &semantic): // first: it may have a syntactic one of a string in it
		e := &Error{Code: WrongType, Pointer: ShortPointer(string(semantic.JSONPointer)), Offset: semantic.ByteOffset}
		switch {
		case !errors.Is(err, json.ErrUnknownName):
			e.Reason = mismatch(semantic)
		case r.isVariant(semantic.JSONPointer):
			e.Code, e.Reason = CaseVariant, variantReason
		default:
			e.Code, e.Reason = UnknownName, "the member is not known here"
		}
		return e
	case errors.As(err, &syntactic):
		return explainSyntax(data, syntactic)
	default:
		return &Error{Code: Malformed, Reason: "not valid JSON"}
	}
}

const (
	variantReason   = "the member's name differs from a known one in case alone"
	duplicateReason = "the member is there twice"
)

func explainSyntax(data []byte, err *jsontext.SyntacticError) error {
	e := &Error{Code: Malformed, Pointer: ShortPointer(string(err.JSONPointer)), Offset: err.ByteOffset}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		e.Code, e.Reason = DuplicateName, duplicateReason
	case len(bytes.TrimSpace(data)) == 0:
		e.Reason = "there is no JSON value"
	case err.JSONPointer == "" && isTrailing(data, err.ByteOffset):
		e.Code, e.Reason = TrailingData, fmt.Sprintf("data follows the JSON value, at byte %d", err.ByteOffset)
	case invalidUTF8At(data, err.ByteOffset):
		e.Code, e.Reason = InvalidUTF8, fmt.Sprintf("invalid UTF-8 at byte %d", err.ByteOffset)
	default:
		e.Reason = fmt.Sprintf("not valid JSON at byte %d", err.ByteOffset)
	}
	return e
}

// isTrailing reports whether a whole value stands before offset.
func isTrailing(data []byte, offset int64) bool {
	head := jsontext.Value(data[:min(offset, int64(len(data)))])
	return head.IsValid(jsontext.AllowDuplicateNames(true))
}

func invalidUTF8At(data []byte, offset int64) bool {
	if offset >= int64(len(data)) {
		return false
	}
	r, size := utf8.DecodeRune(data[offset:])
	return r == utf8.RuneError && size == 1
}

func mismatch(err *json.SemanticError) string {
	want := wanted(err.GoType)
	switch {
	case want == "":
		return "the value does not fit here"
	case err.JSONKind == jsontext.KindBeginObject && want == "object":
		return "an object has no place here" // but in a type without exported fields
	case err.JSONKind == jsontext.KindNumber && want == "number":
		return "the number is out of range or not whole"
	case err.JSONKind == jsontext.KindString && want == "string":
		return "the string has the wrong form"
	default:
		return "must be " + article(want)
	}
}

// wanted names the JSON kind that a Go type is decoded from, or is "".
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
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "string"
		}
		return "array"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		return "number"
	default:
		return ""
	}
}

func article(noun string) string {
	if noun == "object" || noun == "array" {
		return "an " + noun
	}
	return "a " + noun
}
