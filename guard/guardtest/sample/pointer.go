package sample

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// splitPointer takes a JSON pointer (RFC 6901) apart.
func splitPointer(pointer string) ([]string, error) {
	if !strings.HasPrefix(pointer, "/") {
		return nil, fmt.Errorf(`a pointer is like "/Records/0/body"`)
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, token := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return tokens, nil
}

// find follows a pointer to the end.
func (n *node) find(pointer string) (*node, error) {
	parent, last, err := n.parent(pointer)
	if err != nil {
		return nil, err
	}
	i, err := parent.index(last)
	if err != nil {
		return nil, err
	}
	return parent.items[i], nil
}

// parent follows a pointer up to its last token.
func (n *node) parent(pointer string) (parent *node, last string, err error) {
	tokens, err := splitPointer(pointer)
	if err != nil {
		return nil, "", err
	}
	end := len(tokens) - 1
	for _, token := range tokens[:end] {
		i, err := n.index(token)
		if err != nil {
			return nil, "", err
		}
		n = n.items[i]
	}
	return n, tokens[end], nil
}

// index is where a member or an element stands in items.
func (n *node) index(token string) (int, error) {
	switch n.kind {
	case '{':
		if i := slices.Index(n.names, token); i >= 0 {
			return i, nil
		}
	case '[':
		i, err := strconv.Atoi(token)
		if err == nil && i >= 0 && i < len(n.items) && token == strconv.Itoa(i) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("there is no %q in %v", token, n)
}

// put replaces what the pointer finds, or adds the last token to an object, or
// "-" to the end of an array.
func (n *node) put(pointer string, value *node) error {
	parent, last, err := n.parent(pointer)
	if err != nil {
		return err
	}
	if i, err := parent.index(last); err == nil {
		parent.items[i] = value
		return nil
	}
	switch {
	case parent.kind == '{':
		parent.names = append(parent.names, last)
	case parent.kind == '[' && last == "-":
	default:
		_, err := parent.index(last)
		return err
	}
	parent.items = append(parent.items, value)
	return nil
}

func (n *node) remove(pointer string) error {
	parent, last, err := n.parent(pointer)
	if err != nil {
		return err
	}
	i, err := parent.index(last)
	if err != nil {
		return err
	}
	parent.items = slices.Delete(parent.items, i, i+1)
	if parent.kind == '{' {
		parent.names = slices.Delete(parent.names, i, i+1)
	}
	return nil
}
