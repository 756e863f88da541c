// Package judge applies a compiled schema to a value.
//
// It judges a container at most once by each schema, stops at the first failure if
// only the verdict is needed, and limits the steps.
package judge

import (
	"encoding/json"
	"reflect"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

// Limits of one input.
type Limits struct {
	Violations int // that an error lists
	Steps      int // that are spent on it
}

// A step takes up to 0.1 µs. Applying a schema to a value costs one step. The
// constants set the cost of other work.
const (
	bytesPerStep        = 256 // that are counted or hashed
	lookupsPerStep      = 4   // of members by name
	instructionsPerStep = 12  // of a pattern, for each byte
	jsonPerStep         = 4   // bytes that are parsed
	stepsPerRegexByte   = 200 // of format regex: a class may join many tables like \pL of some kilobytes
	stepsPerJSON        = 12  // to parse a text, however short
	placesPerStep       = 16  // that are listed, and compared with another one
	stepsPerViolation   = 8
	stepsPerMemory      = 8 // to remember a verdict
)

// memoryFrom is the number of steps after which verdicts are stored. Few inputs
// take that many.
const memoryFrom = 4096

// run is the judgement of one input.
type run struct {
	*Judge
	limits  Limits
	left    int    // steps
	stopped bool   // no steps are left, or the list of violations is full
	costly  bool   // no steps were left
	place   string // at which none were left

	path   []token // to the value that is judged
	list   violations.List
	memory map[pair]verdict
	alive  []any // trees out of strings, so that no pair is of freed memory
}

// token is an index, or the name of a member if the index is negative.
type token struct {
	name  string
	index int
}

// mode is what a judgement has to return.
type mode struct {
	report bool  // the violations, and not only the verdict
	name   bool  // the value is the name of a member
	seen   *seen // where to note what is judged; nil: not wanted
}

func (m mode) silent() mode {
	m.report = false
	return m
}

func (j *Judge) start(l Limits) *run {
	return &run{Judge: j, limits: l, left: l.Steps, path: make([]token, 0, 16), list: violations.List{Max: l.Violations}}
}

// Check judges a tree of map[string]any, []any, string, bool, nil and
// [json.Number]. The error of a tree that is refused is a [*guard.Error].
func (j *Judge) Check(tree any, l Limits) error {
	r := j.start(l)
	ok, err := isPlain(tree)
	if err != nil {
		return err
	}
	if ok {
		ok = r.judge(program.Root, tree, mode{report: true})
	} else {
		r.reportNumbers(tree)
	}
	err = r.list.Err()
	switch {
	case err != nil || ok:
		return err
	case r.costly:
		return &guard.Error{
			Kind: guard.Invalid, Code: "validation_too_costly",
			Detail:     "The input takes more steps to validate than are allowed.",
			Violations: []guard.Violation{{Pointer: r.place, Detail: "takes too long to validate"}},
		}
	default:
		return guard.Errorf(guard.Invalid, "validation_failed", "The input breaks a rule.")
	}
}

// spend takes steps off the budget. Without steps every verdict is false and is
// ignored.
func (r *run) spend(steps int) bool {
	if r.left -= steps; r.left >= 0 {
		return true
	}
	if !r.stopped {
		r.stopped, r.costly, r.place = true, true, strictjson.ShortPointer(r.pointer())
	}
	r.left = -1
	return false
}

// pair is a container and a schema that judges it.
type pair struct {
	id        program.ID
	container uintptr
	length    int
}

// pairOf returns false for values that are cheap to judge again.
func pairOf(id program.ID, v any) (pair, bool) {
	switch v := v.(type) {
	case map[string]any:
		return pair{id, reflect.ValueOf(v).Pointer(), len(v)}, len(v) > 0
	case []any:
		return pair{id, reflect.ValueOf(v).Pointer(), len(v)}, len(v) > 0
	default:
		return pair{}, false
	}
}

type verdict struct {
	accepted, reported bool
	seen               *seen
}

// judge reports whether a schema accepts v.
func (r *run) judge(id program.ID, v any, m mode) bool {
	if !r.spend(1) {
		return false
	}
	s := &r.schemas[id]
	if s.anything {
		return true
	}
	if !s.Shared || r.limits.Steps-r.left < r.memoryFrom {
		return r.apply(s, v, m)
	}
	key, ok := pairOf(id, v)
	if !ok {
		return r.apply(s, v, m)
	}
	known, ok := r.memory[key]
	switch {
	case !ok:
	case known.accepted && (m.seen == nil || known.seen != nil):
		m.seen.merge(known.seen)
		return true
	case !known.accepted && (known.reported || !m.report):
		return false
	}
	if !r.spend(stepsPerMemory) {
		return false
	}
	if r.memory == nil {
		r.memory = map[pair]verdict{}
	}
	accepted := r.apply(s, v, m)
	r.memory[key] = verdict{accepted, m.report, m.seen}
	return accepted
}

// inside judges a value inside the container of a keyword. It then counts as
// judged.
func (r *run) inside(t token, id program.ID, v any, m mode, keyword string) bool {
	m.seen.add(t)
	m.seen = nil
	r.path = append(r.path, t)
	ok := false
	if r.schemas[id].Never {
		ok = r.spend(1) && r.fail(m, keyword, "is not allowed")
	} else {
		ok = r.judge(id, v, m)
	}
	r.path = r.path[:len(r.path)-1]
	return ok
}

// apply judges v by the rules of a schema. Without a report it stops at the
// first that v breaks.
func (r *run) apply(s *schema, v any, m mode) bool {
	if s.Never {
		return r.fail(m, "false", "is not allowed")
	}
	if s.Types != 0 && !r.hasType(v, s.Types) {
		return m.report && r.fail(m, "type", typeDetail(s.Types))
	}
	ok := true
	if n := len(s.rules); n > 0 && m.seen == nil && s.rules[n-1].isUnevaluated() {
		m.seen = &seen{}
	}
	for i := range s.rules {
		ok = r.rule(&s.rules[i], v, m) && ok
		if r.stopped || !ok && !m.report {
			return false
		}
	}
	return ok
}

// isUnevaluated reports whether a rule is about members or elements that no other
// rule has judged. Such rules are the last.
func (k *rule) isUnevaluated() bool {
	return k.Keyword == "unevaluatedProperties" || k.Keyword == "unevaluatedItems"
}

func (r *run) hasType(v any, types program.Types) bool {
	if types&typeOf(v) != 0 {
		return true
	}
	number, ok := v.(json.Number)
	return ok && types&program.Integer != 0 && r.spend(numberSteps(string(number))) && parse(string(number)).isInteger()
}

func (r *run) rule(k *rule, v any, m mode) bool {
	switch k.Keyword {
	case "const", "enum":
		return r.check(r.has(k.values, v), m, k)
	case "allOf", "anyOf", "oneOf", "not", "if":
		return r.inPlace(k, v, m)
	}
	switch v := v.(type) {
	case string:
		return r.text(k, v, m)
	case json.Number:
		return r.numeric(k, v, m)
	case []any:
		return r.array(k, v, m)
	case map[string]any:
		return r.object(k, v, m)
	default:
		return true
	}
}

// check reports a violation of a rule unless it holds.
func (r *run) check(holds bool, m mode, k *rule) bool {
	return holds || m.report && r.fail(m, k.Keyword, k.detail)
}

// fail reports a violation and returns false.
func (r *run) fail(m mode, keyword, detail string) bool {
	if !m.report || r.stopped {
		return false
	}
	if m.name {
		detail = "the name " + detail
	}
	pointer := r.pointer()
	if r.list.Add(pointer, keyword, detail) {
		r.spend(stepsPerViolation + len(pointer)/bytesPerStep + r.list.Len()/placesPerStep)
	} else { // it lists as many as it may
		r.stopped, r.left = true, -1
	}
	return false
}

func (r *run) pointer() string {
	b := make([]byte, 0, 64)
	for _, t := range r.path {
		b = violations.AppendToken(b, t.name, t.index)
	}
	return string(b)
}
