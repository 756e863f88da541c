package validate

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// accepts reports whether v is sure to be valid. False says nothing: the
// library is to be asked.
func (r *rule) accepts(v any) bool {
	if r.beyond {
		return false
	}
	if r.always != nil {
		return *r.always
	}
	if r.verbatim != nil {
		s, ok := v.(string)
		return ok && r.verbatim.Validate(s) == nil
	}
	if r.allowed != nil && !r.allows(v) {
		return false
	}
	ok := false
	switch v := v.(type) {
	case nil:
		ok = r.takes(typeNull)
	case bool:
		ok = r.takes(typeBoolean)
	case string:
		ok = r.takes(typeString) && r.acceptsString(v)
	case json.Number:
		ok = r.acceptsNumber(string(v))
	case []any:
		ok = r.takes(typeArray) && r.acceptsArray(v)
	case map[string]any:
		ok = r.takes(typeObject) && r.acceptsObject(v)
	}
	return ok && r.acceptsInPlace(v)
}

func (r *rule) takes(t typeSet) bool { return r.types == 0 || r.types&t != 0 }

func (r *rule) allows(v any) bool {
	switch v.(type) {
	case nil, bool, string:
		for _, a := range r.allowed {
			if a == v {
				return true
			}
		}
	}
	return false
}

// acceptsInPlace asks the schemas that judge the same value.
func (r *rule) acceptsInPlace(v any) bool {
	for _, sub := range r.all {
		if !sub.accepts(v) {
			return false
		}
	}
	return r.anyOf == nil || anyAccepts(r.anyOf, v)
}

func anyAccepts(rules []*rule, v any) bool {
	for _, sub := range rules {
		if sub.accepts(v) {
			return true
		}
	}
	return false
}

func (r *rule) acceptsString(s string) bool {
	if r.minLength >= 0 || r.maxLength >= 0 {
		n := utf8.RuneCountInString(s)
		if n < r.minLength || r.maxLength >= 0 && n > r.maxLength {
			return false
		}
	}
	return r.pattern == nil || r.pattern.MatchString(s)
}

func (r *rule) acceptsNumber(text string) bool {
	if !r.takes(typeNumber) && (!r.takes(typeInteger) || strings.ContainsAny(text, ".eE")) {
		return false
	}
	if len(r.limits) == 0 {
		return true
	}
	n, ok := shortOf(text)
	if !ok || !n.fits() {
		return false
	}
	for _, l := range r.limits {
		if !l.allows(n) {
			return false
		}
	}
	return true
}

func (r *rule) acceptsArray(v []any) bool {
	if len(v) < r.minItems || r.maxItems >= 0 && len(v) > r.maxItems {
		return false
	}
	if r.items == nil {
		return true
	}
	for _, item := range v {
		if !r.items.accepts(item) {
			return false
		}
	}
	return true
}

func (r *rule) acceptsObject(v map[string]any) bool {
	if len(v) < r.minMembers || r.maxMembers >= 0 && len(v) > r.maxMembers {
		return false
	}
	judged := 0
	for i := range r.members {
		m := &r.members[i]
		inner, ok := v[m.name]
		if !ok {
			if m.required {
				return false
			}
			continue
		}
		if m.rule == nil {
			continue
		}
		judged++
		if !m.rule.accepts(inner) {
			return false
		}
	}
	if r.patterns == nil && (judged == len(v) || r.additional == nil && !r.additionalRefused) {
		return true
	}
	return r.acceptsOthers(v)
}

// acceptsOthers judges members by their names' patterns, and those that no
// other keyword has judged.
func (r *rule) acceptsOthers(v map[string]any) bool {
	for name, inner := range v {
		_, judged := r.names[name]
		for pattern, sub := range r.patterns {
			if pattern.MatchString(name) {
				judged = true
				if !sub.accepts(inner) {
					return false
				}
			}
		}
		if judged {
			continue
		}
		if r.additionalRefused || r.additional != nil && !r.additional.accepts(inner) {
			return false
		}
	}
	return true
}
