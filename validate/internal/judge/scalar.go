package judge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
)

func (r *run) text(k *rule, s string, m mode) bool {
	switch k.Keyword {
	case "minLength":
		return r.check(r.spend(len(s)/bytesPerStep) && utf8.RuneCountInString(s) >= k.Count, m, k)
	case "maxLength":
		return r.check(r.spend(len(s)/bytesPerStep) && utf8.RuneCountInString(s) <= k.Count, m, k)
	case "pattern":
		return r.check(r.matches(k.pattern, s), m, k)
	case "format":
		steps := len(s)
		if k.Text == "regex" {
			steps *= stepsPerRegexByte
		}
		return k.format == nil || r.check(r.spend(1+steps) && k.format(s), m, k)
	case "contentEncoding":
		_, err := base64.StdEncoding.DecodeString(s)
		return r.check(r.spend(len(s)/jsonPerStep) && err == nil, m, k)
	case "contentMediaType":
		return r.json(k, s, m)
	default:
		return true
	}
}

func (r *run) matches(p *pattern, s string) bool {
	return r.spend(1+len(s)*p.width/instructionsPerStep) && p.MatchString(s)
}

// json judges the JSON in a string.
func (r *run) json(k *rule, s string, m mode) bool {
	if !r.spend(stepsPerJSON + len(s)/jsonPerStep) {
		return false
	}
	text := []byte(s)
	if k.Text == "base64" {
		var err error
		if text, err = base64.StdEncoding.DecodeString(s); err != nil {
			return true // which contentEncoding reports
		}
	}
	tree, err := guard.EventOf(context.Background(), text).Tree()
	if err != nil {
		return r.check(false, m, k)
	}
	r.alive = append(r.alive, tree)
	if bounded, _ := isPlain(tree); !bounded || k.Schema != 0 && !r.judge(k.Schema, tree, mode{}) {
		return r.fail(m, "contentSchema", "must hold what its schema asks for")
	}
	return true
}

func (r *run) numeric(k *rule, text json.Number, m mode) bool {
	if !r.spend(numberSteps(string(text))) {
		return false
	}
	n := parse(string(text))
	switch k.Keyword {
	case "minimum":
		return r.check(n.compare(k.number) >= 0, m, k)
	case "exclusiveMinimum":
		return r.check(n.compare(k.number) > 0, m, k)
	case "maximum":
		return r.check(n.compare(k.number) <= 0, m, k)
	case "exclusiveMaximum":
		return r.check(n.compare(k.number) < 0, m, k)
	case "multipleOf":
		return r.check(r.spend(numberSteps(k.Text)) && n.isMultipleOf(k.number), m, k)
	default:
		return true
	}
}

// CheckNumbers returns an error with the place of the first number that is not
// bounded.
func CheckNumbers(tree any) error {
	r := new(Judge).start(Limits{Violations: 1, Steps: 1 << 20})
	r.reportNumbers(tree)
	if err := r.list.Err(); err != nil {
		v := guard.Public(err).Violations[0]
		return fmt.Errorf("%q: %s", v.Pointer, v.Detail)
	}
	return nil
}

// isPlain reports whether all numbers in v are bounded. It returns an error if v is
// not a JSON tree.
func isPlain(v any) (bool, error) {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			if ok, err := isPlain(inner); !ok || err != nil {
				return false, err
			}
		}
	case []any:
		for _, inner := range v {
			if ok, err := isPlain(inner); !ok || err != nil {
				return false, err
			}
		}
	case json.Number:
		return bounded(string(v)), nil
	case nil, bool, string:
	default:
		return false, fmt.Errorf("validate: a %T is not a part of a JSON tree", v)
	}
	return true, nil
}

// reportNumbers reports the numbers that are not bounded.
func (r *run) reportNumbers(v any) {
	inside := func(t token, inner any) {
		r.path = append(r.path, t)
		r.reportNumbers(inner)
		r.path = r.path[:len(r.path)-1]
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inside(token{name, -1}, v[name])
		}
	case []any:
		for i, inner := range v {
			inside(token{index: i}, inner)
		}
	case json.Number:
		if !bounded(string(v)) {
			r.fail(mode{report: true}, "", "must be a number of at most 512 digits, with an exponent of at most 512")
		}
	}
}
