package strictjson

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Check refuses a text that nests deeper or holds more values than allowed,
// before anything is built from it. A scalar has depth 0 and is one value; names
// are no values. A text that is not JSON is read up to its fault.
func Check(data []byte, maxDepth, maxNodes int) error {
	if Within(data, maxDepth, maxNodes) {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for nodes := 0; ; {
		kind, length := dec.StackIndex(dec.StackDepth())
		isName := kind == jsontext.KindBeginObject && length%2 == 0
		token, err := dec.ReadToken()
		if err != nil {
			return nil
		}
		if !isName && token.Kind() != jsontext.KindEndObject && token.Kind() != jsontext.KindEndArray {
			nodes++
		}
		switch {
		case dec.StackDepth() > maxDepth:
			return &Error{Code: TooDeep, Pointer: here(dec), Reason: fmt.Sprintf("more than %d levels of nesting", maxDepth)}
		case nodes > maxNodes:
			return &Error{Code: TooManyNodes, Pointer: here(dec), Reason: fmt.Sprintf("more than %d values", maxNodes)}
		}
	}
}

func here(dec *jsontext.Decoder) string { return ShortPointer(string(dec.StackPointer())) }

// Within reports whether a text is certain to be within both limits, by a count
// of the bytes that look like structure. It is cheap; [Check] is exact.
func Within(data []byte, maxDepth, maxNodes int) bool {
	// Every value but the first follows a comma, a colon or a bracket, and each
	// colon belongs to a member that follows a comma or a brace.
	opens := bytes.Count(data, []byte{'{'}) + bytes.Count(data, []byte{'['})
	return opens <= maxDepth && opens+bytes.Count(data, []byte{','}) < maxNodes
}
