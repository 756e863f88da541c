// Package judge applies a compiled schema to a value.
//
// It judges a container at most once by each schema, stops at the first
// failure where only the verdict counts, and spends a budget of steps.
package judge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

// Limits of one input.
type Limits struct {
	Violations int // that an error lists
	Steps      int // that are spent on it
}

// A step takes up to 0.1 µs. This is what else costs a step.
const (
	bytesPerStep        = 256 // that are counted or hashed
	lookupsPerStep      = 4   // of members by name
	instructionsPerStep = 12  // of a pattern, for each byte
	jsonPerStep         = 4   // bytes that are parsed
	stepsPerViolation   = 8
	stepsPerMemory      = 8 // to remember a verdict
)

// formatCost returns the steps that a byte of a text with a format costs.
func formatCost(format string) int {
	if format == "regex" {
		return 50 // `\pL` is two bytes and a table of some kilobytes
	}
	return 1
}

// memoryFrom is the number of steps from which on verdicts are remembered.
// Few inputs take as many.
const memoryFrom = 4096

// run is the judgement of one input.
type run struct {
	*Judge
	limit   int
	left    int // steps
	stopped bool
	costly  string // the place at which no steps were left
	ended   bool   // no steps were left

	path   []token // to the value that is judged
	list   violations.List
	memory map[pair]verdict
	alive  []any // contents of strings, so that no pair is of freed memory
}

// token is a member's name, or an index where the name is not valid.
type token struct {
	name  string
	index int // -1: a name
}

// mode says what is wanted of a judgement.
type mode struct {
	report bool // violations, and not only the verdict
	name   bool // the value is the name of a member
	seen   *seen
}

func (j *Judge) start(l Limits) *run {
	return &run{Judge: j, limit: l.Steps, left: l.Steps, list: violations.List{Max: l.Violations}}
}

// Check judges a tree of map[string]any, []any, string, bool, nil and
// [json.Number]. The error of a tree that is refused is a [*guard.Error].
func (j *Judge) Check(tree any, l Limits) error {
	r := j.start(l)
	r.path = make([]token, 0, 16)
	ok, err := plain(tree)
	if err != nil {
		return err
	}
	if !ok {
		r.reportNumbers(tree)
		return r.list.Err()
	}
	accepted := r.judge(program.Root, tree, mode{report: true})
	if err := r.list.Err(); err != nil {
		return err
	}
	if r.ended {
		return &guard.Error{
			Kind: guard.Invalid, Code: "validation_too_costly",
			Detail:     "The input takes more steps to validate than are allowed.",
			Violations: []guard.Violation{{Pointer: r.costly, Detail: "takes too long to validate"}},
		}
	}
	if !accepted {
		return guard.Errorf(guard.Invalid, "validation_failed", "The input breaks a rule.")
	}
	return nil
}

// plain reports whether every number in v is bounded. The error is that v is no
// JSON tree.
func plain(v any) (ok bool, err error) {
	ok = true
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			innerOK, err := plain(inner)
			if err != nil {
				return false, err
			}
			ok = ok && innerOK
		}
	case []any:
		for _, inner := range v {
			innerOK, err := plain(inner)
			if err != nil {
				return false, err
			}
			ok = ok && innerOK
		}
	case json.Number:
		return bounded(string(v)), nil
	case nil, bool, string:
	default:
		return false, fmt.Errorf("validate: a %T is not a part of a JSON tree", v)
	}
	return ok, nil
}

// reportNumbers reports the numbers that are not bounded.
func (r *run) reportNumbers(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			r.path = append(r.path, token{name, -1})
			r.reportNumbers(v[name])
			r.path = r.path[:len(r.path)-1]
		}
	case []any:
		for i, inner := range v {
			r.path = append(r.path, token{"", i})
			r.reportNumbers(inner)
			r.path = r.path[:len(r.path)-1]
		}
	case json.Number:
		if !bounded(string(v)) {
			r.add("", "must be a number of at most 512 digits, with an exponent of at most 512")
		}
	}
}

// spend takes steps off the budget. Without steps every verdict is false and
// counts for nothing.
func (r *run) spend(steps int) bool {
	if r.left -= steps; r.left >= 0 {
		return true
	}
	if !r.stopped {
		r.stopped, r.ended, r.costly = true, true, r.pointer()
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

// pairOf returns no pair for what takes no time to judge again.
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
	seen               *seen // nil: not asked for
}

// judge reports whether a schema accepts v.
func (r *run) judge(id program.ID, v any, m mode) bool {
	if !r.spend(1) {
		return false
	}
	rule := &r.rules[id]
	if rule.anything {
		return true
	}
	if !rule.shared || r.limit-r.left < memoryFrom {
		return r.apply(rule, v, m)
	}
	key, ok := pairOf(id, v)
	if !ok {
		return r.apply(rule, v, m)
	}
	known, ok := r.memory[key]
	switch {
	case !ok:
	case known.accepted && (m.seen == nil || known.seen != nil):
		m.seen.addAll(known.seen)
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
	accepted := r.apply(rule, v, m)
	r.memory[key] = verdict{accepted, m.report, m.seen}
	return accepted
}

// apply judges v by a rule, keyword by keyword.
func (r *run) apply(rule *rule, v any, m mode) bool {
	if rule.Never {
		return r.fail(m, "false", "is not allowed")
	}
	if rule.Types != 0 && !hasType(v, rule.Types) {
		return r.check(false, m, "type", rule)
	}
	if m.seen == nil && rule.UnevaluatedProperties|rule.UnevaluatedItems != 0 {
		m.seen = &seen{}
	}
	ok := rule.constant == nil || r.check(r.has(rule.constant, v), m, "const", rule)
	ok = (rule.enum == nil || r.check(r.has(rule.enum, v), m, "enum", rule)) && ok
	if !ok && !m.report {
		return false
	}
	switch v := v.(type) {
	case string:
		ok = r.text(rule, v, m) && ok
	case json.Number:
		ok = r.number(rule, v, m) && ok
	case []any:
		ok = (rule.Array == nil || r.array(rule, v, m)) && ok
	case map[string]any:
		ok = (rule.Object == nil || r.object(rule, v, m)) && ok
	}
	if !ok && !m.report {
		return false
	}
	ok = r.inPlaceAll(rule, v, m) && ok
	if !ok && !m.report {
		return false
	}
	return r.unevaluated(rule, v, m) && ok
}

func hasType(v any, types program.Types) bool {
	t := typeOf(v)
	if types&t != 0 {
		return true
	}
	number, ok := v.(json.Number)
	return ok && types&program.Integer != 0 && parse(string(number)).isInteger()
}

func (r *run) text(rule *rule, s string, m mode) bool {
	ok := true
	if t := rule.String; t != nil {
		if t.Length != nil {
			ok = r.spend(len(s)/bytesPerStep) && r.count(t.Length, utf8.RuneCountInString(s), m, "minLength", "maxLength", rule)
		}
		if rule.pattern != nil && (ok || m.report) {
			ok = r.check(r.matches(rule.pattern, s), m, "pattern", rule) && ok
		}
		if rule.format != nil && (ok || m.report) {
			ok = r.check(r.spend(1+len(s)*rule.formatCost) && rule.format(s), m, "format", rule) && ok
		}
	}
	if rule.Content != nil && (ok || m.report) {
		ok = r.content(rule, s, m) && ok
	}
	return ok
}

func (r *run) matches(p *pattern, s string) bool {
	return r.spend(1+len(s)*p.instructions/instructionsPerStep) && p.MatchString(s)
}

// content judges what is encoded in a string.
func (r *run) content(rule *rule, s string, m mode) bool {
	if !r.spend(len(s) / jsonPerStep) {
		return false
	}
	text := []byte(s)
	if rule.Content.Base64 {
		var err error
		if text, err = base64.StdEncoding.DecodeString(s); err != nil {
			return r.fail(m, "contentEncoding", "must be encoded in base64")
		}
	}
	if !rule.Content.JSON {
		return true
	}
	tree, err := guard.EventOf(context.Background(), text).Tree()
	if err != nil {
		return r.fail(m, "contentMediaType", "must hold application/json")
	}
	if rule.Content.Schema == 0 {
		return true
	}
	r.alive = append(r.alive, tree)
	if bounded, _ := plain(tree); !bounded || !r.judge(rule.Content.Schema, tree, mode{}) {
		return r.fail(m, "contentSchema", "must hold what its schema asks for")
	}
	return true
}

func (r *run) number(rule *rule, n json.Number, m mode) bool {
	if rule.Number == nil {
		return true
	}
	d, ok := parse(string(n)), true
	for i := range rule.limits.bounds {
		b := &rule.limits.bounds[i]
		ok = r.check(b.allows(d), m, b.keyword, rule) && ok
	}
	if multiple := rule.limits.multipleOf; multiple != nil {
		ok = r.check(r.spend(8+len(n)/8) && d.isMultipleOf(*multiple), m, "multipleOf", rule) && ok
	}
	return ok
}

// count checks a count of characters, elements or members.
func (r *run) count(limits *program.Range, n int, m mode, atLeast, atMost string, rule *rule) bool {
	return r.check(n >= limits.Min, m, atLeast, rule) && r.check(n <= limits.Max, m, atMost, rule)
}

// check reports a violation of a keyword unless holds.
func (r *run) check(holds bool, m mode, keyword string, rule *rule) bool {
	if !holds && m.report && !r.stopped {
		r.fail(m, keyword, detail(keyword, rule.Schema))
	}
	return holds
}

// fail reports a violation and returns false.
func (r *run) fail(m mode, keyword, detail string) bool {
	if m.report {
		if m.name {
			detail = "the name " + detail
		}
		r.add(keyword, detail)
	}
	return false
}

func (r *run) add(keyword, detail string) {
	if r.stopped {
		return
	}
	pointer := r.pointer()
	if !r.list.Add(pointer, keyword, detail) { // it lists as many as it may
		r.stopped, r.left = true, -1
		return
	}
	r.spend(stepsPerViolation + len(pointer)/bytesPerStep)
}

func (r *run) pointer() string {
	var b []byte
	for _, t := range r.path {
		b = violations.AppendToken(b, t.name, t.index)
	}
	return string(b)
}
