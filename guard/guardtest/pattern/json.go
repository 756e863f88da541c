package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A node is a JSON value whose members are in order and may be there twice.
type node struct {
	kind    kind
	text    string // of a string or a number
	members []member
	items   []node
}

type member struct {
	name  string
	value node
}

type kind string

const (
	object  kind = "an object"
	array   kind = "an array"
	text    kind = "a string"
	number  kind = "a number"
	null    kind = "null"
	boolean kind = "a boolean"
)

// decode reads one JSON value.
func decode(data []byte) (node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n, err := next(d)
	if err == nil {
		if _, end := d.Token(); end == io.EOF {
			return n, nil
		}
		err = errors.New("text after the value")
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return node{}, fmt.Errorf("not JSON at byte %d: %w", d.InputOffset(), withoutText(err))
}

// withoutText drops what a syntax error quotes of the input.
func withoutText(err error) error {
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return errors.New("syntax error")
	}
	return err
}

func next(d *json.Decoder) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch t := token.(type) {
	case string:
		return node{kind: text, text: t}, nil
	case json.Number:
		return node{kind: number, text: t.String()}, nil
	case bool:
		return node{kind: boolean, text: fmt.Sprint(t)}, nil
	case json.Delim:
		if t == '{' {
			return nextObject(d)
		}
		return nextArray(d)
	}
	return node{kind: null, text: "null"}, nil
}

func nextObject(d *json.Decoder) (node, error) {
	n := node{kind: object}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return node{}, err
		}
		value, err := next(d)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name: name.(string), value: value})
	}
	_, err := d.Token() // the closing bracket
	return n, err
}

func nextArray(d *json.Decoder) (node, error) {
	n := node{kind: array}
	for d.More() {
		item, err := next(d)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := d.Token()
	return n, err
}
