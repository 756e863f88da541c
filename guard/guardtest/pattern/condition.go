package pattern

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A condition is the array of a field: one of its tests must hold for a value, or the
// field may be absent.
type condition struct {
	absent    bool
	tests     []func(value) bool
	operators []string // that the tests were written with, outermost first: "anything-but", "anything-but.prefix"
}

func (c condition) holds(v value) bool {
	return slices.ContainsFunc(c.tests, func(test func(value) bool) bool { return test(v) })
}

func (c *condition) add(at place, n node) error {
	switch n.kind {
	case object:
		return c.operator(at, n)
	case array:
		return at.errorf("must be a value or an operator, not an array")
	}
	c.tests = append(c.tests, equals(n))
	return nil
}

// equals compares numbers as numbers, and everything else by kind and text.
func equals(n node) func(value) bool {
	want := parseNumber(n.text)
	return func(v value) bool {
		if v.kind == number && n.kind == number && v.num.exact && want.exact {
			return v.num.f == want.f
		}
		return v.kind == n.kind && v.text == n.text
	}
}

func (c *condition) operator(at place, n node) error {
	if len(n.members) != 1 {
		return at.errorf("an operator is an object with one member, not %d", len(n.members))
	}
	name, operand := n.members[0].name, n.members[0].value
	at = at.member(name)
	var test func(value) bool
	var err error
	switch name {
	case "exists":
		return c.exists(at, operand)
	case "prefix", "suffix":
		test, err = affix(at, name, operand)
	case "equals-ignore-case", "wildcard":
		test, err = ofString(at, name, operand)
	case "cidr":
		test, err = cidr(at, operand)
	case "numeric":
		test, err = numeric(at, operand)
	case "anything-but":
		if operand.kind == object && len(operand.members) == 1 {
			name += "." + operand.members[0].name
		}
		test, err = anythingBut(at, operand)
	default:
		return at.errorf("there is no such operator")
	}
	c.tests = append(c.tests, test)
	c.operators = append(c.operators, name)
	return err
}

func (c *condition) exists(at place, operand node) error {
	switch {
	case operand.kind != boolean:
		return at.errorf("must be true or false, not %s", operand.kind)
	case operand.text == "true":
		c.tests = append(c.tests, func(value) bool { return true })
	default:
		c.absent = true
	}
	c.operators = append(c.operators, "exists")
	return nil
}

// affix is a prefix or a suffix: a string, or {"equals-ignore-case": string}.
func affix(at place, name string, operand node) (func(value) bool, error) {
	if operand.kind != object {
		return ofString(at, name, operand)
	}
	if len(operand.members) != 1 || operand.members[0].name != "equals-ignore-case" {
		return nil, at.errorf("must be a string, or an object with equals-ignore-case alone")
	}
	return ofString(at.member("equals-ignore-case"), name+"-ignore-case", operand.members[0].value)
}

// ofString is a test of strings whose operand is a string.
func ofString(at place, name string, operand node) (func(value) bool, error) {
	if operand.kind != text {
		return nil, at.errorf("must be a string, not %s", operand.kind)
	}
	want := operand.text
	var holds func(string) bool
	switch name {
	case "prefix":
		holds = func(s string) bool { return strings.HasPrefix(s, want) }
	case "suffix":
		holds = func(s string) bool { return strings.HasSuffix(s, want) }
	case "equals-ignore-case":
		holds = func(s string) bool { return strings.EqualFold(s, want) }
	case "prefix-ignore-case":
		holds = func(s string) bool { return strings.EqualFold(firstRunes(s, utf8.RuneCountInString(want)), want) }
	case "suffix-ignore-case":
		holds = func(s string) bool { return strings.EqualFold(lastRunes(s, utf8.RuneCountInString(want)), want) }
	case "wildcard":
		w, err := parseWildcard(want)
		if err != nil {
			return nil, at.errorf("%s", err)
		}
		holds = w.match
	}
	return func(v value) bool { return v.kind == text && holds(v.text) }, nil
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func lastRunes(s string, n int) string {
	i := len(s)
	for ; n > 0 && i > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s[i:]
}

// cidr matches addresses of a block. As in event-ruler a block has more than one
// address: at most /31, or /127 for IPv6.
func cidr(at place, operand node) (func(value) bool, error) {
	if operand.kind != text {
		return nil, at.errorf("must be a string, not %s", operand.kind)
	}
	block, err := netip.ParsePrefix(operand.text)
	if err != nil {
		return nil, at.errorf("must be an address block such as 10.0.0.0/24 or 2001:db8::/64")
	}
	if block.IsSingleIP() {
		return nil, at.errorf("is a block of one address; write the address as a string")
	}
	return func(v value) bool {
		address, err := netip.ParseAddr(v.text)
		return v.kind == text && err == nil && address.Zone() == "" && block.Contains(address)
	}, nil
}

func numeric(at place, operand node) (func(value) bool, error) {
	if operand.kind != array {
		return nil, at.errorf("must be an array, not %s", operand.kind)
	}
	items := operand.items
	if len(items) != 2 && len(items) != 4 {
		return nil, at.errorf("must be an operator and a number, or a lower and an upper bound")
	}
	first, low, err := comparison(at, items[:2])
	if err != nil {
		return nil, err
	}
	if len(items) == 2 {
		return func(v value) bool { return v.num.exact && compare(first, v.num.f, low) }, nil
	}
	second, high, err := comparison(at, items[2:])
	switch {
	case err != nil:
		return nil, err
	case first != ">" && first != ">=" || second != "<" && second != "<=":
		return nil, at.errorf("a range is > or >=, then < or <=")
	case low >= high:
		return nil, at.errorf("the lower bound must be less than the upper")
	}
	return func(v value) bool {
		return v.num.exact && compare(first, v.num.f, low) && compare(second, v.num.f, high)
	}, nil
}

func comparison(at place, pair []node) (operator string, bound float64, err error) {
	if pair[0].kind != text || !slices.Contains([]string{"=", "<", "<=", ">", ">="}, pair[0].text) {
		return "", 0, at.errorf("an operator is one of =, <, <=, > and >=")
	}
	n := parseNumber(pair[1].text)
	if pair[1].kind != number || !n.exact {
		return "", 0, at.errorf("%s must be followed by a number that a float64 holds", strconv.Quote(pair[0].text))
	}
	return pair[0].text, n.f, nil
}

func compare(operator string, a, b float64) bool {
	switch operator {
	case "=":
		return a == b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	default:
		return a >= b
	}
}

// anythingBut matches every value that is there, null as well, except what its operand
// matches: a string or a number, a list of either, or an operator on one string or more.
func anythingBut(at place, operand node) (func(value) bool, error) {
	name := ""
	if operand.kind == object {
		if len(operand.members) != 1 || !slices.Contains([]string{"prefix", "suffix", "equals-ignore-case", "wildcard"}, operand.members[0].name) {
			return nil, at.errorf("an operator here is one of prefix, suffix, equals-ignore-case and wildcard")
		}
		name, operand = operand.members[0].name, operand.members[0].value
		at = at.member(name)
	}
	list := []node{operand}
	if operand.kind == array {
		list = operand.items
	}
	if len(list) == 0 {
		return nil, at.errorf("an empty array is not allowed")
	}
	var excluded []func(value) bool
	for i, item := range list {
		where := at
		if operand.kind == array {
			where = at.item(i)
		}
		test, err := exclusion(where, name, item, list[0].kind)
		if err != nil {
			return nil, err
		}
		excluded = append(excluded, test)
	}
	return func(v value) bool {
		return !slices.ContainsFunc(excluded, func(test func(value) bool) bool { return test(v) })
	}, nil
}

func exclusion(at place, name string, item node, first kind) (func(value) bool, error) {
	if name != "" {
		if item.text == "" && (name == "prefix" || name == "suffix") && item.kind == text {
			return nil, at.errorf("must not be empty")
		}
		return ofString(at, name, item)
	}
	switch {
	case item.kind != text && item.kind != number:
		return nil, at.errorf("must be a string or a number, not %s", item.kind)
	case item.kind != first:
		return nil, at.errorf("must be %s as the first one: all are strings or all are numbers", first)
	case item.kind == number && !parseNumber(item.text).exact:
		return nil, at.errorf("must be a number that a float64 holds")
	}
	return equals(item), nil
}
