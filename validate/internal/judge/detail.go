package judge

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

func atLeast(n int, what string) string { return "must have at least " + violations.Plural(n, what) }

func atMost(n int, what string) string { return "must have at most " + violations.Plural(n, what) }

// detail describes a rule: with its limit if that is a number, or with the name of
// a format. Enumerations, constants and patterns are not shown, as they may be
// confidential.
func detail(k *program.Rule) string {
	switch k.Keyword {
	case "const":
		return "must be the one value that is allowed"
	case "enum":
		return "must be one of the values that are allowed"
	case "format":
		return "must be in the format " + k.Text
	case "pattern":
		return "must match the pattern"
	case "minLength":
		return atLeast(k.Count, "character")
	case "maxLength":
		return atMost(k.Count, "character")
	case "minItems":
		return atLeast(k.Count, "item")
	case "maxItems":
		return atMost(k.Count, "item")
	case "minProperties":
		return atLeast(k.Count, "member")
	case "maxProperties":
		return atMost(k.Count, "member")
	case "uniqueItems":
		return "must not have an item twice"
	case "minimum":
		return "must be at least " + k.Text
	case "exclusiveMinimum":
		return "must be more than " + k.Text
	case "maximum":
		return "must be at most " + k.Text
	case "exclusiveMaximum":
		return "must be less than " + k.Text
	case "multipleOf":
		return "must be a multiple of " + k.Text
	case "contentEncoding":
		return "must be encoded in base64"
	case "contentMediaType":
		return "must hold application/json"
	case "not":
		return "must not be of this form"
	default: // oneOf
		return "must have exactly one of the forms that are allowed"
	}
}

func typeDetail(types program.Types) string {
	var names []string
	for i, name := range []string{"a boolean", "a string", "a number", "a whole number", "an array", "an object", "null"} {
		if types&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return "must be " + strings.Join(names, " or ")
}
