package guard

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shortestScrubbed is the length from which a value is looked for in an error
// text. Shorter ones would be found in any sentence.
const shortestScrubbed = 4

// scrubWork bounds the bytes that are searched through for the values of one
// event, at some milliseconds of work. Who sends very many values and brings
// about a long error text can only have all of the text hidden.
const scrubWork = 16 << 20

// A scrubber looks for values in a text and hides them.
type scrubber struct {
	text  string
	work  int
	found map[string]bool // values in text
	hide  []bool          // bytes of text; nil when there are none
}

// value looks for one value, plain and as it is quoted.
func (s *scrubber) value(v string) {
	if len(v) > len(s.text) {
		return
	}
	s.literal(v)
	if strings.ContainsFunc(v, quotable) {
		quoted := strconv.Quote(v)
		s.literal(quoted[1 : len(quoted)-1])
		s.literal(timeQuoted(v))
	}
}

func quotable(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

// timeQuoted is v as the errors of package time have it, which show the bytes of
// what is not ASCII.
func timeQuoted(v string) string {
	var b strings.Builder
	for i := range len(v) {
		switch c := v[i]; {
		case c < ' ' || c >= utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (s *scrubber) literal(v string) {
	if len(v) < shortestScrubbed || s.work > scrubWork || s.found[v] {
		return
	}
	s.work += len(s.text)
	for at := 0; s.work <= scrubWork; at++ {
		i := strings.Index(s.text[at:], v)
		if i < 0 {
			return
		}
		at += i
		s.work += len(v)
		s.found[v] = true
		s.cover(at, at+len(v))
	}
}

func (s *scrubber) cover(start, end int) {
	if s.hide == nil {
		s.hide = make([]bool, len(s.text))
	}
	for i := start; i < end; i++ {
		s.hide[i] = true
	}
}

// parts looks for what is quoted of a value that was found: errors like to say
// where in a value they gave up, and quote the rest of it beside the whole.
func (s *scrubber) parts() {
	open := -1
	for i := 0; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case s.hide[i]:
		case c == '\\':
			i++
		case c != '"':
		case open < 0:
			open = i + 1
		default:
			s.part(open, i)
			open = -1
		}
	}
}

func (s *scrubber) part(start, end int) {
	if end-start < shortestScrubbed {
		return
	}
	for v := range s.found {
		s.work += len(v)
		if s.work > scrubWork {
			return
		}
		if strings.Contains(v, s.text[start:end]) {
			s.cover(start, end)
			return
		}
	}
}

// result takes the values out: what they cover together, as they may overlap.
func (s *scrubber) result() string {
	if s.hide != nil {
		s.parts()
	}
	if s.work > scrubWork {
		return redacted
	}
	if s.hide == nil {
		return s.text
	}
	var b strings.Builder
	for i, hidden := range s.hide {
		switch {
		case !hidden:
			b.WriteByte(s.text[i])
		case i == 0 || !s.hide[i-1]:
			b.WriteString(redacted)
		}
	}
	return b.String()
}

// all gives up on a text that anything may stand in.
func (s *scrubber) all() { s.text, s.hide = redacted, nil }
