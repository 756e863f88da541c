package validate

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
)

// maxDigits bounds a number: its text, and its exponent either way. The library
// multiplies a number out: 1e1000000 takes it 60 ms, and at 1e1000001 it
// panics. The largest double has 309 digits.
const (
	maxDigits = 512
	farDetail = "must be a number of at most 512 digits, with an exponent of at most 512"
)

// measurement is what a tree costs to walk.
type measurement struct {
	nodes   int  // values in it, itself included
	longest int  // bytes of the longest path
	text    int  // bytes of the strings in it, and of the names
	far     bool // a number in it is out of bounds
}

func measure(v any) measurement {
	var m measurement
	m.walk(v, 0)
	return m
}

func (m *measurement) walk(v any, path int) {
	m.nodes++
	m.longest = max(m.longest, path)
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			m.text += len(name)
			m.walk(inner, path+1+len(name))
		}
	case []any:
		for _, inner := range v {
			m.walk(inner, path+indexLen)
		}
	case string:
		m.text += len(v)
	case json.Number:
		m.far = m.far || !bounded(string(v))
	}
}

// indexLen is what an index adds to a path, with the slash: 99999 at most.
const indexLen = 6

// farNumbers calls found with the pointer of every number out of bounds.
func farNumbers(v any, pointer string, found func(pointer string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if measure(inner).far {
				farNumbers(inner, pointer+"/"+violations.Escape(name), found)
			}
		}
	case []any:
		for i, inner := range v {
			if measure(inner).far {
				farNumbers(inner, pointer+"/"+strconv.Itoa(i), found)
			}
		}
	case json.Number:
		if !bounded(string(v)) {
			found(pointer)
		}
	}
}

// bounded reports whether the text of a number stays below maxDigits.
func bounded(number string) bool {
	if len(number) > maxDigits {
		return false
	}
	if len(number) <= 4 { // 9e99
		return true
	}
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return true
	}
	exponent, err := strconv.Atoi(number[i+1:])
	return err == nil && -maxDigits <= exponent && exponent <= maxDigits
}
