package pattern

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits that https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html and
// https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html name.
const (
	maxLength       = 4096 // characters of a filter; a rule may have 2048, unless the account's quota was raised
	maxAlternatives = 1000 // combinations of $or
)

// A Pattern matches events. Several goroutines may use it at once.
type Pattern struct {
	alternatives []alternative
}

// An alternative is what one choice in every $or demands: a condition for each path.
type alternative map[string]condition

// Parse reads an event pattern, at most 4096 characters. An error names the place in
// the pattern and says what is wrong there.
func Parse(text string) (*Pattern, error) {
	p, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	return p, nil
}

func parse(text string) (*Pattern, error) {
	if n := utf8.RuneCountInString(text); n > maxLength {
		return nil, fmt.Errorf("%d characters are over the limit of %d", n, maxLength)
	}
	root, err := decode([]byte(text))
	if err != nil {
		return nil, err
	}
	if root.kind != object {
		return nil, fmt.Errorf("a pattern is an object, not %s", root.kind)
	}
	alternatives, err := compiler{}.object([]alternative{{}}, place{}, root)
	if err != nil {
		return nil, err
	}
	return &Pattern{alternatives: alternatives}, nil
}

// MustParse is Parse that panics if the pattern is refused.
func MustParse(text string) *Pattern {
	p, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return p
}

// Any returns a pattern that matches what at least one of the patterns matches. With no
// patterns it matches nothing.
func Any(patterns ...*Pattern) *Pattern {
	all := &Pattern{}
	for _, p := range patterns {
		all.alternatives = append(all.alternatives, p.alternatives...)
	}
	return all
}

// Match reports whether the event matches. It returns an error if the event is not a
// JSON object.
func (p *Pattern) Match(event []byte) (bool, error) {
	root, err := decode(event)
	if err != nil {
		return false, fmt.Errorf("pattern: event is %w", err)
	}
	if root.kind != object {
		return false, fmt.Errorf("pattern: an event is an object, not %s", root.kind)
	}
	f := fields{}
	f.add("", nil, root)
	return slices.ContainsFunc(p.alternatives, f.match), nil
}

// without returns the alternative less its conditions on the member name.
func (a alternative) without(name string) alternative {
	rest := alternative{}
	for path, c := range a {
		if path != name && !strings.HasPrefix(path, name+".") {
			rest[path] = c
		}
	}
	return rest
}

// asks reports what an alternative demands of a member: its value, or members of it.
func (a alternative) asks(name string) (value, members bool) {
	for path := range a {
		value = value || path == name
		members = members || strings.HasPrefix(path, name+".")
	}
	return value, members
}
