package judge

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

// detail says what a keyword asks for: its own limit where that is a number, a
// type or the name of a format. Enumerations, constants and patterns are not
// shown: they may hold what a caller is not to know.
func detail(keyword string, s *program.Schema) string {
	switch keyword {
	case "type":
		return typeDetail(s.Types)
	case "const":
		return "must be the one value that is allowed"
	case "enum":
		return "must be one of the values that are allowed"
	case "format":
		return "must be in the format " + s.String.Format
	case "pattern":
		return "must match the pattern"
	case "minLength":
		return violations.AtLeast(s.String.Length.Min, "character")
	case "maxLength":
		return violations.AtMost(s.String.Length.Max, "character")
	case "minItems":
		return violations.AtLeast(s.Array.Count.Min, "item")
	case "maxItems":
		return violations.AtMost(s.Array.Count.Max, "item")
	case "uniqueItems":
		return "must not have an item twice"
	case "contains":
		return "must have an item of the kind that is asked for"
	case "minContains":
		return violations.AtLeast(s.Array.Matches.Min, "item") + " of the kind that is asked for"
	case "maxContains":
		return violations.AtMost(s.Array.Matches.Max, "item") + " of one kind"
	case "minProperties":
		return violations.AtLeast(s.Object.Count.Min, "member")
	case "maxProperties":
		return violations.AtMost(s.Object.Count.Max, "member")
	case "minimum":
		return "must be at least " + s.Number.Minimum
	case "exclusiveMinimum":
		return "must be more than " + s.Number.ExclusiveMinimum
	case "maximum":
		return "must be at most " + s.Number.Maximum
	case "exclusiveMaximum":
		return "must be less than " + s.Number.ExclusiveMaximum
	case "multipleOf":
		return "must be a multiple of " + s.Number.MultipleOf
	case "not":
		return "must not be of this form"
	default:
		return "must have exactly one of the forms that are allowed"
	}
}

var typeNames = []struct {
	bit  program.Types
	name string
}{
	{program.Boolean, "a boolean"},
	{program.String, "a string"},
	{program.Number, "a number"},
	{program.Integer, "a whole number"},
	{program.Array, "an array"},
	{program.Object, "an object"},
	{program.Null, "null"},
}

func typeDetail(types program.Types) string {
	var names []string
	for _, t := range typeNames {
		if types&t.bit != 0 {
			names = append(names, t.name)
		}
	}
	return "must be " + strings.Join(names, " or ")
}
