package canonicaljson_test

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// A tree is a JSON value as it is meant, which many texts spell: nil, a bool, a
// string, a decimalNumber, a []any or a map[string]any.

// decimalNumber is coefficient times ten to the exponent. The coefficient has
// no zeros at its ends, unless it is "0".
type decimalNumber struct {
	negative    bool
	coefficient string
	exponent    int
}

// meaning is the value of n as this package understands it, exactly: that of the
// digits if they make a whole number or one beyond all doubles, and that of the
// double otherwise, as ECMAScript prints it.
func (n decimalNumber) meaning() *big.Rat {
	text := n.coefficient + "e" + strconv.Itoa(n.exponent)
	if n.negative {
		text = "-" + text
	}
	exact, _ := new(big.Rat).SetString(text)
	if exact.IsInt() {
		return exact
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f == 0 {
		return exact
	}
	shortest, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'e', -1, 64))
	return shortest
}

// sameMeaning reports whether two trees are one value.
func sameMeaning(a, b any) bool {
	switch a := a.(type) {
	case decimalNumber:
		b, ok := b.(decimalNumber)
		return ok && a.meaning().Cmp(b.meaning()) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameMeaning)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			if other, ok := b[name]; !ok || !sameMeaning(value, other) {
				return false
			}
		}
		return true
	default:
		return a == b
	}
}

// numbers draws numbers around all the places where their layout changes.
func numbers() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		n := decimalNumber{
			coefficient: rapid.StringMatching(`[1-9]([0-9]{0,20}[1-9])?`).Draw(t, "coefficient"),
			negative:    rapid.Bool().Draw(t, "negative"),
		}
		point := rapid.OneOf(rapid.IntRange(-8, 2), rapid.IntRange(14, 24), rapid.IntRange(-360, 330),
			rapid.SampledFrom([]int{-324, -323, -308, 307, 308, 309})).Draw(t, "point")
		n.exponent = point - len(n.coefficient)
		if rapid.IntRange(0, 9).Draw(t, "zero") == 0 {
			return decimalNumber{coefficient: "0"}
		}
		return n
	})
}

// trees draws trees with these numbers.
func trees(number *rapid.Generator[any]) *rapid.Generator[any] {
	// Characters of one to four bytes, those that are escaped, and those on both
	// sides of the surrogates, where UTF-16 sorts in another way than UTF-8.
	text := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune("ab\"\\/\b\f\n\r\t\x00\x1f\x7fé€\ud7ff\ue000\uffff\U00010000😀\U0010ffff")), 0, 4, -1))
	leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Map(rapid.Bool(), wrap[bool]), rapid.Map(text, wrap[string]), number, number)
	tree := leaf
	for range 3 {
		inner := tree
		tree = rapid.OneOf(leaf,
			rapid.Map(rapid.SliceOfN(inner, 0, 4), wrap[[]any]),
			rapid.Map(rapid.MapOfN(text, inner, 0, 5), wrap[map[string]any]))
	}
	return tree
}

func wrap[T any](v T) any { return v }

// speller writes trees in one of the many ways that there are.
type speller struct {
	t   *rapid.T
	out strings.Builder
}

func spell(t *rapid.T, tree any) string {
	s := &speller{t: t}
	s.value(tree)
	return s.out.String()
}

func (s *speller) pick(n int) int { return rapid.IntRange(0, n-1).Draw(s.t, "pick") }

func (s *speller) space() {
	s.out.WriteString([...]string{"", "", "", " ", "\n\t", "\r\n"}[s.pick(6)])
}

func (s *speller) value(tree any) {
	s.space()
	defer s.space()
	switch v := tree.(type) {
	case nil:
		s.out.WriteString("null")
	case bool:
		s.out.WriteString(strconv.FormatBool(v))
	case string:
		s.text(v)
	case decimalNumber:
		s.number(v)
	case []any:
		s.out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				s.out.WriteByte(',')
			}
			s.value(item)
		}
		s.out.WriteByte(']')
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names) // so that what is drawn does not depend on the map
		s.out.WriteByte('{')
		for i, name := range rapid.Permutation(names).Draw(s.t, "order") {
			if i > 0 {
				s.out.WriteByte(',')
			}
			s.value(name)
			s.out.WriteByte(':')
			s.value(v[name])
		}
		s.out.WriteByte('}')
	}
}

// text writes each character as it is, by its short escape, or by its number.
func (s *speller) text(text string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '/': `\/`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	s.out.WriteByte('"')
	for _, r := range text {
		escape, ok := short[r]
		switch how := s.pick(3); {
		case how == 0 && ok:
			s.out.WriteString(escape)
		case how < 2 && r >= ' ' && r != '"' && r != '\\':
			s.out.WriteRune(r)
		default:
			s.units(utf16.AppendRune(nil, r))
		}
	}
	s.out.WriteByte('"')
}

func (s *speller) units(units []uint16) {
	for _, unit := range units {
		digits := strconv.FormatUint(uint64(unit)+0x10000, 16)[1:]
		if s.pick(2) == 0 {
			digits = strings.ToUpper(digits)
		}
		s.out.WriteString(`\u` + digits)
	}
}

// number puts the point somewhere, and an exponent behind that makes up for it.
func (s *speller) number(n decimalNumber) {
	if n.negative || n.coefficient == "0" && s.pick(2) == 0 {
		s.out.WriteByte('-')
	}
	digits := strings.Repeat("0", s.pick(3)) + n.coefficient + strings.Repeat("0", s.pick(4))
	exponent := n.exponent - (len(digits) - len(strings.TrimRight(digits, "0")))
	if n.coefficient == "0" {
		digits, exponent = strings.Repeat("0", 1+s.pick(4)), s.pick(9)-4
	}
	fraction := s.pick(len(digits) + 1)
	if s.pick(2) == 0 && exponent < 40 { // no exponent, if that is possible
		digits += strings.Repeat("0", max(0, exponent))
		exponent = min(0, exponent)
		fraction = min(-exponent, len(digits))
	}
	exponent += fraction
	whole := strings.TrimLeft(digits[:len(digits)-fraction], "0")
	if whole == "" {
		whole = "0"
	}
	s.out.WriteString(whole)
	if fraction > 0 {
		s.out.WriteString("." + digits[len(digits)-fraction:])
	}
	if exponent == 0 && s.pick(4) > 0 {
		return
	}
	s.out.WriteByte("eE"[s.pick(2)])
	switch {
	case exponent < 0:
		s.out.WriteByte('-')
		exponent = -exponent
	case s.pick(2) == 0:
		s.out.WriteByte('+')
	}
	s.out.WriteString(strings.Repeat("0", s.pick(3)) + strconv.Itoa(exponent))
}
