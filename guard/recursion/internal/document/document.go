// Package document reads the members of JSON objects and puts a hop counter among them.
package document

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Member is a member of a JSON object. It shares the memory of the text.
type Member struct {
	Name   string
	Quoted jsontext.Value // the name, as it is in the text
	Value  jsontext.Value
}

// Members returns the members of a JSON object, duplicates too. ok is false if the text
// is not one object.
func Members(text []byte) (all []Member, ok bool) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != jsontext.KindBeginObject {
		return nil, false
	}
	read := func() (jsontext.Value, error) {
		v, err := dec.ReadValue()
		end := dec.InputOffset()
		return text[end-int64(len(v)) : end], err
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := read()
		if err != nil {
			return nil, false
		}
		value, err := read()
		if err != nil {
			return nil, false
		}
		all = append(all, Member{string(Text(name)), name, value})
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, false
	}
	rest := text[dec.InputOffset():]
	return all, len(bytes.TrimLeft(rest, " \t\r\n")) == 0
}

// Text returns the text of a JSON string, nil for any other value.
func Text(value jsontext.Value) []byte {
	if value.Kind() != jsontext.KindString {
		return nil
	}
	text, _ := jsontext.AppendUnquote(nil, value)
	return text
}

// Detail returns a JSON object with a counter as the member name, in place of any that
// it has. The other members are as they were. A text that is not an object is returned
// as it is.
func Detail(text, name string, hops int) string {
	members, ok := Members([]byte(text))
	if !ok {
		return text
	}
	var b strings.Builder
	b.WriteString(`{"` + name + `":` + strconv.Itoa(hops))
	for _, m := range members {
		if m.Name == name {
			continue
		}
		b.WriteString("," + string(m.Quoted) + ":" + string(m.Value))
	}
	b.WriteString("}")
	return b.String()
}
