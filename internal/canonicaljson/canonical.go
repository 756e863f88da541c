package canonicaljson

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// maxDepth limits the nesting of a text.
const maxDepth = 1000

// ErrInvalid is matched by the error for a text that is refused.
var ErrInvalid = errors.New("canonicaljson: not a JSON text with one meaning")

// Append appends the canonical form of the one value in src to dst. If there is an
// error it returns dst.
func Append(dst, src []byte) ([]byte, error) {
	w := writer{src: src, out: dst}
	if err := json.Unmarshal(src, &w); err != nil {
		return dst, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(w.unsorted) == 0 {
		return w.out, nil
	}
	slices.SortFunc(w.unsorted, func(a, b object) int { return a.start - b.start })
	return w.sorted(make([]byte, 0, len(w.out)), 0, len(w.out)), nil
}

type writer struct {
	src      []byte
	out      []byte   // the canonical form of what has been read, but for the order of members
	unsorted []object // those whose members are in another order
}

// object is an object: its members, sorted, and where it is in out, without its end.
type object struct {
	start, end int
	members    []member
}

// sorted appends out[start:end] to dst with all members in order. It moves each
// byte once, so that deep objects take no longer than others.
func (w *writer) sorted(dst []byte, start, end int) []byte {
	for start < end {
		i, _ := slices.BinarySearchFunc(w.unsorted, start, func(o object, start int) int { return o.start - start })
		if i == len(w.unsorted) || w.unsorted[i].start >= end {
			break
		}
		o := &w.unsorted[i]
		dst = append(dst, w.out[start:o.start+1]...)
		for i, m := range o.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = w.sorted(dst, m.start, m.end)
		}
		start = o.end
	}
	return append(dst, w.out[start:end]...)
}

// UnmarshalJSONFrom appends the value that comes next. The decoder refuses
// duplicate names in an object, and text that is not UTF-8.
func (w *writer) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		if dec.StackDepth() >= maxDepth {
			return fmt.Errorf("more than %d levels", maxDepth)
		}
		if dec.PeekKind() == jsontext.KindBeginObject {
			return w.object(dec)
		}
		return w.array(dec)
	}
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case jsontext.KindString:
		w.text(v)
	case jsontext.KindNumber:
		w.out, err = appendNumber(w.out, v)
	default:
		w.out = append(w.out, v...)
	}
	return err
}

func (w *writer) array(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	w.out = append(w.out, '[')
	for first := true; dec.PeekKind() != jsontext.KindEndArray; first = false {
		if !first {
			w.out = append(w.out, ',')
		}
		if err := w.UnmarshalJSONFrom(dec); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	_, err := dec.ReadToken()
	return err
}

// member is a member of an object: its name, and where it is in out.
type member struct {
	name       []byte
	start, end int
}

func (w *writer) object(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	w.out = append(w.out, '{')
	start := len(w.out)
	members := make([]member, 0, 8)
	for dec.PeekKind() != jsontext.KindEndObject {
		quoted, err := dec.ReadValue()
		if err != nil {
			return err
		}
		end := int(dec.InputOffset())
		if len(members) > 0 {
			w.out = append(w.out, ',')
		}
		m := member{name: strictjson.Unquote(w.src[end-len(quoted) : end]), start: len(w.out)}
		w.text(quoted)
		w.out = append(w.out, ':')
		if err := w.UnmarshalJSONFrom(dec); err != nil {
			return err
		}
		m.end = len(w.out)
		members = append(members, m)
	}
	byName := func(a, b member) int { return compareNames(a.name, b.name) }
	if !slices.IsSortedFunc(members, byName) {
		sorted := slices.Clone(members) // those that are in order stay on the stack
		slices.SortFunc(sorted, byName)
		w.unsorted = append(w.unsorted, object{start: start - 1, end: len(w.out), members: sorted})
	}
	w.out = append(w.out, '}')
	_, err := dec.ReadToken()
	return err
}

// text appends a string with as few escapes as there can be (RFC 8785, section
// 3.2.2.2).
func (w *writer) text(quoted jsontext.Value) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		w.out = append(w.out, quoted...)
		return
	}
	w.out, _ = jsontext.AppendQuote(w.out, strictjson.Unquote(quoted)) // has been read, so that it is UTF-8
}

// compareNames orders UTF-8 texts by their UTF-16 code units. That is the order of
// their bytes, except that characters beyond U+FFFF, which are surrogate pairs,
// come before U+E000 to U+FFFF.
func compareNames(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if x, y := a[i], b[i]; x != y {
			if x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0) {
				x, y = y, x
			}
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}
