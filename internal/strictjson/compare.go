package strictjson

import (
	"bytes"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// compare reads data beside the type that it is decoded into and finds what
// the decoder has no option for: a member whose name differs from a known one
// in case alone, and a null where the type has an object. A syntax error ends
// the comparison: it is the decoder's to report.
func compare(data []byte, t reflect.Type) error {
	c := comparison{dec: jsontext.NewDecoder(bytes.NewBuffer(data),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	c.value(t)
	if c.found == nil {
		return nil
	}
	return c.found
}

type comparison struct {
	dec   *jsontext.Decoder
	found *Error
}

// value reads the next value, which is to become a t, and reports whether to
// go on. A nil t is one that takes anything.
func (c *comparison) value(t reflect.Type) bool {
	nullable := false
	for t != nil && t.Kind() == reflect.Pointer && !opaque(t) {
		t, nullable = t.Elem(), true
	}
	if t == nil || t.Kind() == reflect.Interface || opaque(t) {
		return c.dec.SkipValue() == nil
	}
	kind := c.dec.PeekKind()
	switch {
	case kind == jsontext.KindNull && !nullable && c.wantsObject(t):
		if _, err := c.dec.ReadToken(); err != nil {
			return false
		}
		return c.stop(WrongType, "must be an object, not null")
	case kind == jsontext.KindBeginObject && t.Kind() == reflect.Struct:
		return c.members(func(name string) (reflect.Type, bool) {
			s := shapeOf(t)
			inner, known := s.exact[name]
			if !known && s.folded[fold(name)] {
				return nil, c.stop(CaseVariant, "the member's name differs from a known one in case alone")
			}
			return inner, true
		})
	case kind == jsontext.KindBeginObject && t.Kind() == reflect.Map:
		return c.members(func(string) (reflect.Type, bool) { return t.Elem(), true })
	case kind == jsontext.KindBeginArray && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		return c.elements(t.Elem())
	default:
		return c.dec.SkipValue() == nil
	}
}

// wantsObject reports whether a null is refused for t: for a struct, and for a
// map that is the whole text, but not for what AWS itself sends null for.
func (c *comparison) wantsObject(t reflect.Type) bool {
	top := c.dec.StackDepth() == 0
	return t.Kind() == reflect.Struct && (top || t.PkgPath() != awsEvents) ||
		t.Kind() == reflect.Map && top
}

func (c *comparison) members(typeOf func(name string) (reflect.Type, bool)) bool {
	if _, err := c.dec.ReadToken(); err != nil {
		return false
	}
	for c.dec.PeekKind() == jsontext.KindString {
		name, err := c.dec.ReadToken()
		if err != nil {
			return false
		}
		t, ok := typeOf(name.String())
		if !ok || !c.value(t) {
			return false
		}
	}
	_, err := c.dec.ReadToken()
	return err == nil
}

func (c *comparison) elements(t reflect.Type) bool {
	if _, err := c.dec.ReadToken(); err != nil {
		return false
	}
	for {
		switch c.dec.PeekKind() {
		case jsontext.KindEndArray:
			_, err := c.dec.ReadToken()
			return err == nil
		case jsontext.KindInvalid:
			return false
		default:
			if !c.value(t) {
				return false
			}
		}
	}
}

func (c *comparison) stop(code Code, reason string) bool {
	c.found = &Error{
		Code:    code,
		Pointer: ShortPointer(string(c.dec.StackPointer())),
		Offset:  c.dec.InputOffset(),
		Reason:  reason,
	}
	return false
}

// maxPointer bounds what a caller's member names can make of an error.
const maxPointer = 256

// ShortPointer cuts a pointer that is too long to be shown, at a whole
// character.
func ShortPointer(pointer string) string {
	if len(pointer) <= maxPointer {
		return pointer
	}
	return strings.ToValidUTF8(pointer[:maxPointer], "") + "…"
}
