package strictjson

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A walk goes through a text that has been decoded, and finds what the decoder
// has no option for: a name that differs from a known one in case alone, null
// for a struct, and a string that should hold a number and holds NaN. It needs
// to look at names and brackets only, as the text is known to be JSON and to
// fit its type.
type walk struct {
	data []byte
	at   int
}

// value goes past the next value.
func (w *walk) value(p place) *Error {
	c := w.next()
	switch {
	case p.quoted && c != 'n':
		return w.quoted()
	case p.plan == nil:
	case c == '{':
		return w.object(p.plan)
	case c == '[':
		return w.array(p.plan)
	case c == 'n' && p.plan.members != nil && !p.plan.nullable && !p.pointer:
		return w.wrong("must be an object, not null")
	}
	w.skip()
	return nil
}

func (w *walk) object(p *plan) *Error {
	w.at++
	for w.next() != '}' {
		start := w.at
		name := w.name()
		w.next()
		w.at++ // the colon
		child, known := p.elem, true
		if p.members != nil {
			child, known = p.members[string(name)]
		}
		if !known && p.isVariant(name) {
			return &Error{Code: CaseVariant, Pointer: pointer(name, ""), Offset: int64(start), Reason: variantReason}
		}
		if e := w.value(child); e != nil {
			e.Pointer = pointer(name, e.Pointer)
			return e
		}
		if w.next() == ',' {
			w.at++
		}
	}
	w.at++
	return nil
}

func (w *walk) array(p *plan) *Error {
	w.at++
	for i := int64(0); w.next() != ']'; i++ {
		if e := w.value(p.elem); e != nil {
			e.Pointer = pointer(strconv.AppendInt(nil, i, 10), e.Pointer)
			return e
		}
		if w.next() == ',' {
			w.at++
		}
	}
	w.at++
	return nil
}

// quoted judges a string that holds a value.
func (w *walk) quoted() *Error {
	start := w.at
	w.skip()
	text, err := jsontext.AppendUnquote(nil, w.data[start:w.at])
	if err != nil || !jsontext.Value(text).IsValid() {
		w.at = start
		return w.wrong("the string has to hold one value")
	}
	return nil
}

func (w *walk) wrong(reason string) *Error {
	return &Error{Code: WrongType, Offset: int64(w.at), Reason: reason}
}

// name reads a member's name.
func (w *walk) name() []byte {
	start := w.at
	w.at = stringEnd(w.data, w.at) + 1
	name := w.data[start+1 : w.at-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name, _ = jsontext.AppendUnquote(nil, w.data[start:w.at])
	}
	return name
}

// next goes to the next byte that is no space.
func (w *walk) next() byte {
	for {
		switch c := w.data[w.at]; c {
		case ' ', '\t', '\r', '\n':
			w.at++
		default:
			return c
		}
	}
}

// skip goes past a value without a look at it.
func (w *walk) skip() {
	for level := 0; w.at < len(w.data); w.at++ {
		switch w.data[w.at] {
		case '"':
			w.at = stringEnd(w.data, w.at)
		case '{', '[':
			level++
			continue
		case '}', ']':
			if level == 0 { // the end of what a number stands in
				return
			}
			level--
		case ',', ' ', '\t', '\r', '\n', ':':
			if level == 0 {
				return
			}
			continue
		default:
			continue
		}
		if level == 0 {
			w.at++
			return
		}
	}
}

// pointer puts a name before a pointer. What is too long to be shown is cut.
func pointer(name []byte, rest string) string {
	return ShortPointer(string(jsontext.Pointer("").AppendToken(string(name))) + rest)
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

// appendFold appends the one of all names that encoding/json does not tell
// apart: by simple case folding, in which "ſ" is an "s" and the Kelvin sign a
// "k".
func appendFold(to, name []byte) []byte {
	for i := 0; i < len(name); {
		c := name[i]
		if c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			to = append(to, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(name[i:])
		for next := unicode.SimpleFold(r); ; r, next = next, unicode.SimpleFold(next) {
			if next <= r { // the orbit is back at its smallest member
				to = utf8.AppendRune(to, next)
				break
			}
		}
		i += size
	}
	return to
}
