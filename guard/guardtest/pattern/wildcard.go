package pattern

import (
	"errors"
	"strings"
)

// A wildcard is the texts between the asterisks of a wildcard pattern.
type wildcard []string

// parseWildcard reads a pattern in which * stands for any characters, \* for an asterisk
// and \\ for a backslash.
// See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
func parseWildcard(text string) (wildcard, error) {
	w := wildcard{""}
	for i := 0; i < len(text); i++ {
		last := &w[len(w)-1]
		switch c := text[i]; c {
		case '*':
			if *last == "" && len(w) > 1 {
				return nil, errors.New("two * stand side by side")
			}
			w = append(w, "")
		case '\\':
			if i++; i == len(text) || text[i] != '*' && text[i] != '\\' {
				return nil, errors.New(`a backslash may stand before * and \ only`)
			}
			*last += text[i : i+1]
		default:
			*last += text[i : i+1]
		}
	}
	return w, nil
}

func (w wildcard) match(s string) bool {
	if len(w) == 1 {
		return s == w[0]
	}
	s, starts := strings.CutPrefix(s, w[0])
	s, ends := strings.CutSuffix(s, w[len(w)-1])
	if !starts || !ends {
		return false
	}
	for _, part := range w[1 : len(w)-1] {
		_, after, found := strings.Cut(s, part)
		if !found {
			return false
		}
		s = after
	}
	return true
}
