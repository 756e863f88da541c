// Package jsonpeek looks into a JSON text without decoding it: which members
// an object has, and where their values stand. It checks nothing and builds
// nothing; what it finds is a hint until a strict decoder has read the text.
// On a text that is not JSON it finds less, and never fails.
package jsonpeek

import (
	"encoding/binary"
	"iter"
	"math/bits"
)

// Members goes through the members of the object that data is: names without
// their quotes and as written, escapes included, and the values' raw text.
func Members(data []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		i := space(data, 0)
		if i >= len(data) || data[i] != '{' {
			return
		}
		for {
			name, start := member(data, i+1)
			end := valueEnd(data, start)
			if start >= end || !yield(name, data[start:end]) {
				return
			}
			i = space(data, end)
			if i >= len(data) || data[i] != ',' {
				return
			}
		}
	}
}

// Starts is Members for values that are long: with a name comes all of data
// from its value on, and where the value ends is looked for only when the walk
// goes on.
func Starts(data []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, rest []byte) bool) {
		i := space(data, 0)
		if i >= len(data) || data[i] != '{' {
			return
		}
		for {
			name, start := member(data, i+1)
			if start >= len(data) || !yield(name, data[start:]) {
				return
			}
			i = space(data, valueEnd(data, start))
			if i >= len(data) || data[i] != ',' {
				return
			}
		}
	}
}

// member reads a name and finds its value, at the end of data when there is
// none.
func member(data []byte, i int) (name []byte, start int) {
	i = space(data, i)
	if i >= len(data) || data[i] != '"' {
		return nil, len(data)
	}
	end := stringEnd(data, i)
	colon := space(data, end+1)
	if colon >= len(data) || data[colon] != ':' {
		return nil, len(data)
	}
	return data[i+1 : end], space(data, colon+1)
}

// Lookup gives the raw value at a path of member names, nil when it is not
// there.
func Lookup(data []byte, path ...string) []byte {
	for _, want := range path {
		var found []byte
		for name, value := range Members(data) {
			if string(name) == want {
				found = value
				break
			}
		}
		if found == nil {
			return nil
		}
		data = found
	}
	return data
}

// First gives what of data stands from an array's first element on, and what
// ends the array at once where it has none.
func First(data []byte) []byte {
	i := space(data, 0)
	if i >= len(data) || data[i] != '[' {
		return nil
	}
	return data[space(data, i+1):]
}

// Value is the raw text of the value that data begins with.
func Value(data []byte) []byte {
	return data[:valueEnd(data, 0)]
}

// Text is what stands between the quotes of a raw string, escapes and all; nil
// for what is not a string.
func Text(raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return nil
	}
	return raw[1 : len(raw)-1]
}

func space(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// valueEnd is the index after the value that starts at i.
func valueEnd(data []byte, i int) int {
	if i >= len(data) {
		return i
	}
	switch data[i] {
	case '"':
		return min(stringEnd(data, i)+1, len(data))
	case '{', '[':
		return containerEnd(data, i)
	}
	for i < len(data) {
		switch data[i] {
		case ',', '}', ']', ':', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
	return i
}

func containerEnd(data []byte, i int) int {
	for level := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = stringEnd(data, i)
		case '{', '[':
			level++
		case '}', ']':
			if level--; level == 0 {
				return i + 1
			}
		}
	}
	return len(data)
}

// stringEnd is the index of the quote that closes the string which opens at i,
// or the length of data. It looks at eight bytes at a time: most of an event is
// strings, and most of those are too short for bytes.IndexByte to pay.
func stringEnd(data []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for i++; i+8 <= len(data); {
		word := binary.LittleEndian.Uint64(data[i:])
		quote, slash := word^ones*'"', word^ones*'\\'
		// The lowest bit that is set belongs to the first byte that was zero.
		found := ((quote-ones)&^quote | (slash-ones)&^slash) & tops
		if found == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(found) / 8
		if data[i] == '"' {
			return i
		}
		i += 2
	}
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(data)
}
