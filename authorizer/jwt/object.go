package jwt

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// A reader takes the members of an object, one after the other.
type reader interface {
	// member tells which one a name is, or a negative number for one that is
	// passed over.
	member(name []byte) (int, error)
	// take has the value of a member, which is not to be kept, and where in the
	// text it begins.
	take(member int, value jsontext.Value, at int) error
}

// readObject reads the one JSON object that data has to be. Names that are
// there twice, at any depth, and invalid UTF-8 are errors.
func readObject(data []byte, maxDepth, maxNodes int, r reader) error {
	if err := strictjson.Check(data, maxDepth, maxNodes); err != nil {
		return err
	}
	o := object{reader: r}
	// By way of Unmarshal the decoder is one that has been used before.
	err := json.Unmarshal(data, &o)
	if o.err != nil {
		return o.err
	}
	return err
}

type object struct {
	reader
	err error // that the reader returned
}

var errNotAnObject = reason.New("must be an object")

// UnmarshalJSONFrom reads the object.
func (o *object) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginObject {
		return errNotAnObject
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		m, err := o.member(unquote(name))
		if err != nil {
			o.err = err
			return err
		}
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if m < 0 {
			continue
		}
		if o.err = o.take(m, value, int(dec.InputOffset())-len(value)); o.err != nil {
			return o.err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// unquote gives what a JSON string says; it may share the string's memory.
func unquote(quoted []byte) []byte {
	if len(quoted) < 2 || bytes.IndexByte(quoted, '\\') >= 0 {
		plain, _ := jsontext.AppendUnquote(nil, quoted)
		return plain
	}
	return quoted[1 : len(quoted)-1]
}

// text is what a value that has to be a string says.
func text(value jsontext.Value) (string, bool) {
	if value.Kind() != jsontext.KindString {
		return "", false
	}
	return string(unquote(value)), true
}

// variant reports whether a name that is none of the known ones differs from
// one of them in case alone. Another reader of the same text would take it for
// that one.
func variant(name []byte, known []string) bool {
	for _, k := range known {
		if bytes.EqualFold(name, []byte(k)) {
			return true
		}
	}
	return false
}

// lower reports whether a name can only be a variant of one that is not in
// lower case.
func lower(name []byte) bool {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
