// Package strictjson decodes JSON that has exactly one meaning, and refuses any
// other before a value is built from it.
//
// encoding/json matches member names without regard to case, keeps the last of
// two equal names, replaces invalid UTF-8 and, in a stream, ignores what follows
// the first value. Two readers of one text can then see two documents: a schema
// checks "role" while the struct is filled from "ROLE". An accepted text decodes as
// with encoding/json.
package strictjson

import (
	stdjson "encoding/json"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	v1 "github.com/go-json-experiment/json/v1"
)

// Code names the rule that a text breaks. It is stable: callers match on it.
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

// Error reports a text that was refused. It contains no value of the text. Its
// pointer has the names of members, cut if they are long.
type Error struct {
	Code    Code
	Pointer string // RFC 6901, to the value or member; "" is the whole text
	Reason  string // a clause without the input in it
}

func (e *Error) Error() string {
	if e.Pointer == "" {
		return fmt.Sprintf("json: %s", e.Reason)
	}
	return fmt.Sprintf("json: %s at %q", e.Reason, e.Pointer)
}

// LogValue is the code alone, as a caller chooses the names in the pointer.
func (e *Error) LogValue() slog.Value { return slog.StringValue(string(e.Code)) }

// Options change what is accepted beside the syntax.
type Options struct {
	// RejectUnknown refuses members that the Go type has no field for.
	RejectUnknown bool
}

// Unmarshal decodes the one value in data into v, a non-nil pointer to a zero
// value. The error is an [*Error] or a [TypeError].
func Unmarshal(data []byte, v any, opts Options) error {
	s := shapeOf(reflect.TypeOf(v).Elem())
	if s.err != nil {
		return s.err
	}
	if isJSON(data) {
		if err := unambiguous(data, s, opts.RejectUnknown); err != nil {
			return err
		}
	}
	if err := json.Unmarshal(data, v, s.options); err != nil {
		return explain(data, err)
	}
	return nil
}

// isJSON reports whether a text is JSON, however ambiguous. The decoder stops at the
// fault of any other, and [unambiguous] would go on behind it.
func isJSON(data []byte) bool {
	return jsontext.Value(data).IsValid(jsontext.AllowDuplicateNames(true))
}

// compatible are the options to decode a checked text as encoding/json does. A
// map whose keys are more than names needs the decoder's own check, as two names
// may be one key. A json.Number is decoded as the decoder's type of that name.
func compatible(numbers, keys bool) json.Options {
	options := json.JoinOptions(
		v1.DefaultOptionsV1(),
		v1.ReportErrorsWithLegacySemantics(false),
		json.MatchCaseInsensitiveNames(false),
		jsontext.AllowDuplicateNames(!keys),
		jsontext.AllowInvalidUTF8(false),
	)
	if !numbers {
		return options
	}
	return json.JoinOptions(options, json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, n *stdjson.Number) error {
		return (*v1.Number)(n).UnmarshalJSONFrom(dec)
	})))
}
