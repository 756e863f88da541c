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

// maxDepth is how deep a value may be nested. It is that of Jackson, which event-ruler reads
// JSON with; see StreamReadConstraints of https://github.com/FasterXML/jackson-core.
const maxDepth = 1000

// decode reads one JSON value.
func decode(data []byte) (node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n, err := next(d, maxDepth)
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

// next reads a value with at most depth objects and arrays around each other.
func next(d *json.Decoder, depth int) (node, error) {
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
		switch {
		case depth == 0:
			return node{}, fmt.Errorf("it is nested more than %d deep", maxDepth)
		case t == '{':
			return nextObject(d, depth-1)
		}
		return nextArray(d, depth-1)
	}
	return node{kind: null, text: "null"}, nil
}

func nextObject(d *json.Decoder, depth int) (node, error) {
	n := node{kind: object}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return node{}, err
		}
		value, err := next(d, depth)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name: name.(string), value: value})
	}
	_, err := d.Token() // the closing bracket
	return n, err
}

func nextArray(d *json.Decoder, depth int) (node, error) {
	n := node{kind: array}
	for d.More() {
		item, err := next(d, depth)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := d.Token()
	return n, err
}
