package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A node is a JSON value that keeps the order of an object's members: a
// trigger sends them in one, and how far a reader has to look depends on it.
type node struct {
	kind   byte            // '{', '[', or 0 for a scalar
	names  []string        // of an object's members
	items  []*node         // an object's values or an array's elements
	scalar json.RawMessage // as it is written
}

// parseNode reads a JSON text.
func parseNode(text []byte) (*node, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	n, err := readNode(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return n, nil
}

func readNode(dec *json.Decoder) (*node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		scalar, err := marshal(token)
		return &node{scalar: scalar}, err
	}
	n := &node{kind: byte(delim)}
	for dec.More() {
		if n.kind == '{' {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			n.names = append(n.names, name.(string))
		}
		item, err := readNode(dec)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err = dec.Token() // the end of it
	return n, err
}

// nodeOf is v as encoding/json writes it.
func nodeOf(v any) (*node, error) {
	text, err := marshal(v)
	if err != nil {
		return nil, err
	}
	return parseNode(text)
}

// marshal leaves <, > and & as they are, as AWS does.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (n *node) appendTo(b []byte) []byte {
	if n.kind == 0 {
		return append(b, n.scalar...)
	}
	b = append(b, n.kind)
	for i, item := range n.items {
		if i > 0 {
			b = append(b, ',')
		}
		if n.kind == '{' {
			name, _ := marshal(n.names[i]) // a string
			b = append(append(b, name...), ':')
		}
		b = item.appendTo(b)
	}
	return append(b, n.kind+2) // in ASCII } and ] stand two after { and [
}

func (n *node) clone() *node {
	c := &node{kind: n.kind, names: slices.Clone(n.names), scalar: n.scalar}
	for _, item := range n.items {
		c.items = append(c.items, item.clone())
	}
	return c
}

// text is the value of a string.
func (n *node) text() (string, bool) {
	var s string
	if n.kind != 0 || n.scalar[0] != '"' || json.Unmarshal(n.scalar, &s) != nil {
		return "", false
	}
	return s, true
}

func (n *node) String() string {
	switch n.kind {
	case '{':
		return fmt.Sprintf("an object with %q", n.names)
	case '[':
		return fmt.Sprintf("an array of %d", len(n.items))
	default:
		return string(n.scalar)
	}
}
