// Package jsonpeek looks into a JSON text without decoding it: which members
// an object has, and where their values stand. It checks nothing and builds
// nothing; what it finds is a hint until a strict decoder has read the text.
// On a text that is not JSON it finds less, and never fails.
package jsonpeek

import (
	"bytes"
	"iter"
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
			i = space(data, i+1)
			if i >= len(data) || data[i] != '"' {
				return
			}
			end := stringEnd(data, i)
			name := data[i+1 : end]
			i = space(data, end+1)
			if i >= len(data) || data[i] != ':' {
				return
			}
			i = space(data, i+1)
			end = valueEnd(data, i)
			if i >= end || !yield(name, data[i:end]) {
				return
			}
			i = space(data, end)
			if i >= len(data) || data[i] != ',' {
				return
			}
		}
	}
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

// First gives the raw text of an array's first element, nil when there is none.
func First(data []byte) []byte {
	i := space(data, 0)
	if i >= len(data) || data[i] != '[' {
		return nil
	}
	i = space(data, i+1)
	end := valueEnd(data, i)
	if i >= end {
		return nil
	}
	return data[i:end]
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
// or the length of data.
func stringEnd(data []byte, i int) int {
	for {
		next := bytes.IndexByte(data[i+1:], '"')
		if next < 0 {
			return len(data)
		}
		start := i
		i += 1 + next
		slashes := i
		for slashes-1 > start && data[slashes-1] == '\\' {
			slashes--
		}
		if (i-slashes)%2 == 0 {
			return i
		}
	}
}
