package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// split takes a JSON pointer (RFC 6901) apart.
func split(pointer string) ([]string, error) {
	if !strings.HasPrefix(pointer, "/") {
		return nil, errors.New(`a pointer is like "/Records/0/body"`)
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, token := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	return tokens, nil
}

// find returns the value at a place.
func find(v any, pointer string) (any, error) {
	tokens, err := split(pointer)
	for _, token := range tokens {
		if err == nil {
			v, err = child(v, token)
		}
	}
	return v, err
}

func child(v any, token string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if value, ok := v[token]; ok {
			return value, nil
		}
	case []any:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(v) && token == strconv.Itoa(i) {
			return v[i], nil
		}
	}
	return nil, fmt.Errorf("there is no %q in %s", token, kind(v))
}

func kind(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return fmt.Sprintf("an object of %d members", len(v))
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	default:
		return "a value without members"
	}
}

// edit changes the container of the place, and returns the changed value.
func edit(v any, tokens []string, change func(holder any, token string) (any, error)) (any, error) {
	if len(tokens) == 1 {
		return change(v, tokens[0])
	}
	inner, err := child(v, tokens[0])
	if err == nil {
		inner, err = edit(inner, tokens[1:], change)
	}
	if err != nil {
		return nil, err
	}
	return put(v, tokens[0], inner)
}

// put sets a member, which may be new, or an element; "-" is behind the last one.
func put(holder any, token string, value any) (any, error) {
	_, err := child(holder, token)
	switch v := holder.(type) {
	case map[string]any:
		v[token] = value
		return v, nil
	case []any:
		if token == "-" {
			return append(v, value), nil
		}
		if err == nil {
			i, _ := strconv.Atoi(token)
			v[i] = value
		}
	}
	return holder, err
}

// remove takes out a member or an element.
func remove(holder any, token string) (any, error) {
	_, err := child(holder, token)
	if err != nil {
		return nil, err
	}
	switch v := holder.(type) {
	case map[string]any:
		delete(v, token)
	case []any:
		i, _ := strconv.Atoi(token)
		return slices.Delete(v, i, i+1), nil
	}
	return holder, nil
}

// parse decodes as [guard.Event.Tree] does: a number is a [json.Number].
func parse(text []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}

// marshal leaves <, > and & as they are, as AWS does.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
