package strictjson

import (
	"bytes"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	variantReason   = "the member's name differs from a known one in case alone"
	duplicateReason = "the member is there twice"
	nullReason      = "must be an object, not null"
)

// unambiguous refuses ambiguities that the decoder has no option for: a name that
// differs from a known one in case alone, null for a struct, and a malformed quoted
// value. It also finds duplicate names: the decoder would keep names in maps, which
// take 14 bytes for each byte of a hostile text.
func unambiguous(data []byte, s *shape, rejectUnknown bool) error {
	w := walk{data: data, rejectUnknown: rejectUnknown, names: make([][]byte, 0, 16)}
	if w.isNull() && !s.nullable {
		return &Error{Code: WrongType, Reason: nullReason}
	}
	if e := w.value(s.place); e != nil {
		return e
	}
	return nil
}

// walk iterates over a text that is JSON.
type walk struct {
	data          []byte
	at            int
	rejectUnknown bool
	names         [][]byte // of the objects that are open, the innermost object's last
}

// value goes past the next value.
func (w *walk) value(p place) *Error {
	switch c := w.next(); {
	case c == '{':
		return w.object(p.plan)
	case c == '[':
		return w.array(p.plan)
	case c == 'n' && p.isStruct() && !p.plan.nullable && !p.pointer && w.isNull():
		return &Error{Code: WrongType, Reason: nullReason}
	case c == '"':
		quoted := w.string()
		if p.quoted && !jsontext.Value(Unquote(quoted)).IsValid() {
			return &Error{Code: WrongType, Reason: "the string has to hold one value"}
		}
	default:
		for w.at++; w.at < len(w.data) && !endsScalar(w.data[w.at]); {
			w.at++
		}
	}
	return nil
}

func endsScalar(c byte) bool { return c == ',' || c == ']' || c == '}' || c <= ' ' }

func (w *walk) object(p *plan) *Error {
	w.at++
	outer := len(w.names)
	for w.next() == '"' {
		name := Unquote(w.string())
		if len(w.names) == cap(w.names) { // append grows a large slice in many steps
			w.names = slices.Grow(w.names, len(w.names))
		}
		w.names = append(w.names, name)
		w.next()
		w.at++ // the colon
		member, e := w.member(p, name)
		if e == nil {
			e = w.value(member)
		}
		if e != nil {
			return e.within(name)
		}
		if w.next() == ',' {
			w.at++
		}
	}
	w.at++
	own := w.names[outer:]
	slices.SortFunc(own, bytes.Compare)
	for i := 1; i < len(own); i++ {
		if bytes.Equal(own[i-1], own[i]) {
			return (&Error{Code: DuplicateName, Reason: duplicateReason}).within(own[i])
		}
	}
	w.names = w.names[:outer]
	return nil
}

// member returns the place of an object's member.
func (w *walk) member(p *plan, name []byte) (place, *Error) {
	if p == nil {
		return place{}, nil
	}
	if p.members == nil {
		return p.elem, nil
	}
	member, known := p.members[string(name)]
	switch {
	case known:
	case p.isVariant(name):
		return member, &Error{Code: CaseVariant, Reason: variantReason}
	case w.rejectUnknown:
		return member, &Error{Code: UnknownName, Reason: "the member is not known here"}
	}
	return member, nil
}

func (w *walk) array(p *plan) *Error {
	w.at++
	elem := place{}
	if p != nil {
		elem = p.elem
	}
	for i := int64(0); w.next() != ']'; i++ {
		if e := w.value(elem); e != nil {
			return e.within(strconv.AppendInt(nil, i, 10))
		}
		if w.next() == ',' {
			w.at++
		}
	}
	w.at++
	return nil
}

// within puts a name in front of the pointer.
func (e *Error) within(name []byte) *Error {
	e.Pointer = ShortPointer(string(jsontext.Pointer("").AppendToken(string(name))) + e.Pointer)
	return e
}

// next goes to the next byte that is no space, and returns 0 at the end.
func (w *walk) next() byte {
	for ; w.at < len(w.data); w.at++ {
		switch c := w.data[w.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (w *walk) isNull() bool {
	return w.next() == 'n' && bytes.HasPrefix(w.data[w.at:], []byte("null"))
}

// string goes past a string, and returns it with its quotes.
func (w *walk) string() []byte {
	start := w.at
	for w.at++; w.data[w.at] != '"'; w.at++ {
		if w.data[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.data[start:w.at]
}

// isVariant reports whether an unknown name differs in case alone from a known
// one.
func (p *plan) isVariant(name []byte) bool {
	var room [64]byte
	return p.folded[string(appendFold(room[:0], name))]
}

// appendFold appends one spelling for all names that encoding/json takes for
// one, by simple case folding: "ſ" is an "s" and the Kelvin sign a "k".
func appendFold(to, name []byte) []byte {
	for len(name) > 0 {
		r, size := utf8.DecodeRune(name)
		name = name[size:]
		next := unicode.SimpleFold(r)
		for next > r { // up to the smallest of those that fold onto each other
			r, next = next, unicode.SimpleFold(next)
		}
		to = utf8.AppendRune(to, next)
	}
	return to
}
