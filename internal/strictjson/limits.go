package strictjson

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Check judges the size of a text before anything is built from it: how deep
// its values nest, and how many there are. The text need not be JSON; what is
// counted then is what a decoder would have met.
func Check(data []byte, maxDepth, maxNodes int) error {
	if Within(data, maxDepth, maxNodes) {
		return nil
	}
	depth, nodes := Measure(data)
	switch {
	case depth > maxDepth:
		return &Error{Code: TooDeep, Pointer: locate(data, maxDepth, nodes), Reason: fmt.Sprintf("more than %d levels of nesting", maxDepth)}
	case nodes > maxNodes:
		return &Error{Code: TooManyNodes, Pointer: locate(data, depth, maxNodes), Reason: fmt.Sprintf("more than %d values", maxNodes)}
	}
	return nil
}

// Within reports whether the bytes that look like structure, wherever they
// stand, are few enough for both limits: true is certain, false is not.
func Within(data []byte, maxDepth, maxNodes int) bool {
	// Every value but the first follows a comma, a colon or a bracket, and each
	// colon belongs to a member that follows a comma or a brace.
	opens := bytes.Count(data, []byte{'{'}) + bytes.Count(data, []byte{'['})
	return opens <= maxDepth && opens+bytes.Count(data, []byte{','}) < maxNodes
}

// locate points to the first value beyond a limit, as far as the text is JSON.
func locate(data []byte, maxDepth, maxNodes int) string {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for nodes := 0; nodes <= maxNodes && dec.StackDepth() <= maxDepth; {
		kind, length := dec.StackIndex(dec.StackDepth())
		name := kind == jsontext.KindBeginObject && length%2 == 0
		tok, err := dec.ReadToken()
		if err != nil {
			break
		}
		if !name && tok.Kind() != jsontext.KindEndObject && tok.Kind() != jsontext.KindEndArray {
			nodes++
		}
	}
	return ShortPointer(string(dec.StackPointer()))
}

// Measure counts levels and values of a JSON text in one pass, without memory
// of its own. A scalar has depth 0 and is one value. Of a text that is not JSON
// no less is counted than a decoder builds until it meets the fault.
func Measure(data []byte) (depth, nodes int) {
	level := 0
	most := 0     // nodes, before a colon took one away
	fresh := true // the next byte of a value starts a new one
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			level++
			depth = max(depth, level)
			nodes++
			fresh = true
		case '}', ']':
			level--
			fresh = false
		case ',':
			fresh = true
		case ':':
			fresh = true
			most = max(most, nodes)
			nodes-- // what stood before was a name
		case ' ', '\t', '\r', '\n':
		case '"':
			i = stringEnd(data, i)
			if fresh {
				nodes++
				fresh = false
			}
		default:
			if fresh {
				nodes++
				fresh = false
			}
		}
	}
	return depth, max(most, nodes)
}

// stringEnd is the index of the quote that closes the string which opens at i,
// or the last index of data.
func stringEnd(data []byte, i int) int {
	for at := i + 1; at < len(data); at++ {
		n := bytes.IndexByte(data[at:], '"')
		if n < 0 {
			break
		}
		at += n
		escapes := 0
		for data[at-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return at
		}
	}
	return len(data) - 1
}
