package judge

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"regexp"
	"regexp/syntax"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

// Judge is a program that is ready to run. It is safe for concurrent use.
type Judge struct {
	schemas    []schema
	seed       maphash.Seed
	memoryFrom int
}

type schema struct {
	*program.Schema
	anything bool // it accepts every value
	rules    []rule
}

// rule is a keyword with values that are computed once.
type rule struct {
	*program.Rule
	detail   string
	number   number
	values   set
	pattern  *pattern
	patterns []*pattern // as Patterns
	known    map[string]program.ID
	format   func(string) bool
}

// New checks a program. formats are added to the known ones, and replace them.
func New(p *program.Program, formats map[string]func(string) bool) (*Judge, error) {
	if p == nil || p.Version != program.Version || len(p.Schemas) <= int(program.Root) {
		return nil, reason.New("the program is empty or of another version: generate it again")
	}
	j := &Judge{schemas: make([]schema, len(p.Schemas)), seed: maphash.MakeSeed(), memoryFrom: memoryFrom}
	for i := range p.Schemas {
		s := &p.Schemas[i]
		unshared := *s
		unshared.Shared = false
		j.schemas[i] = schema{s, reflect.ValueOf(unshared).IsZero(), make([]rule, len(s.Rules))}
		for k := range s.Rules {
			if err := j.compile(&j.schemas[i].rules[k], &s.Rules[k], formats); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Rules[k].Keyword, err)
			}
		}
	}
	return j, nil
}

func (j *Judge) compile(k *rule, from *program.Rule, formats map[string]func(string) bool) (err error) {
	k.Rule, k.detail = from, detail(from)
	switch k.Keyword {
	case "const", "enum":
		k.values, err = j.set(k.Texts)
	case "pattern":
		k.pattern, err = compilePattern(k.Text)
	case "format":
		if k.format = formats[k.Text]; k.format == nil {
			k.format = format(k.Text)
		}
	case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf":
		k.number = parse(k.Text)
		if k.Keyword == "multipleOf" && k.number.compare(number{}) <= 0 {
			err = reason.New("not above 0")
		}
	case "properties":
		k.known = make(map[string]program.ID, len(k.Members))
		for _, m := range k.Members {
			k.known[m.Name] = m.Schema
		}
		k.patterns = make([]*pattern, len(k.Patterns))
		for i := range k.Patterns {
			if k.patterns[i], err = compilePattern(k.Patterns[i].Name); err != nil {
				break
			}
		}
	}
	return err
}

// pattern is a regular expression, and how many instructions it tries for a
// byte, at most.
type pattern struct {
	*regexp.Regexp
	width int
}

func compilePattern(text string) (*pattern, error) {
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	code, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	return &pattern{compiled, width(code)}, nil
}

// width returns how many instructions are tried for a byte, at most. It is
// exact for a narrow pattern that begins at the start of the text and has no loop,
// and all instructions for any other.
func width(code *syntax.Prog) int {
	all := len(code.Inst)
	if code.StartCond()&syntax.EmptyBeginText == 0 {
		return all
	}
	tried := make([]int, all) // the last byte for which an instruction was tried
	alive := []uint32{uint32(code.Start)}
	widest, total := 0, 0
	for byteNo := 1; len(alive) > 0; byteNo++ {
		if total > 16*all { // it has a loop, or is wide
			return all
		}
		at, next := alive, []uint32(nil)
		n := 0
		for ; len(at) > 0; at = at[1:] {
			if tried[at[0]] == byteNo {
				continue
			}
			tried[at[0]] = byteNo
			n++
			switch inst := &code.Inst[at[0]]; inst.Op {
			case syntax.InstAlt, syntax.InstAltMatch:
				at = append(at, inst.Out, inst.Arg)
			case syntax.InstCapture, syntax.InstEmptyWidth, syntax.InstNop:
				at = append(at, inst.Out)
			case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				next = append(next, inst.Out)
			}
		}
		widest, total, alive = max(widest, n), total+n, next
	}
	return widest
}

// set reads the values of an enum or a const.
func (j *Judge) set(texts []string) (set, error) {
	s := make(set, len(texts))
	hasher := j.start(Limits{Steps: 1 << 30})
	for _, text := range texts {
		v, err := strictjson.Tree([]byte(text))
		if err != nil {
			return nil, err
		}
		sum := hasher.hash(v)
		s[sum] = append(s[sum], v)
	}
	return s, nil
}
