package validate

import (
	"math/big"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// detailOf says what a keyword asks for: its own limit where that is a number,
// a type or the name of a format. An enumeration, a constant and a pattern stay
// out of it: they may hold what a caller is not to know.
func detailOf(keyword string, s *jsonschema.Schema) string {
	if s == nil {
		return "breaks the rule of " + keyword
	}
	switch keyword {
	case "type":
		return typeDetail(s.Types)
	case "const":
		return "must be the one value that is allowed"
	case "enum":
		return "must be one of the values that are allowed"
	case "format":
		return "must be in the format " + s.Format
	case "pattern":
		return "must match the pattern"
	case "minLength":
		return violations.AtLeast(s.MinLength, "character")
	case "maxLength":
		return violations.AtMost(s.MaxLength, "character")
	case "minItems":
		return violations.AtLeast(s.MinItems, "item")
	case "maxItems":
		return violations.AtMost(s.MaxItems, "item")
	case "minProperties":
		return violations.AtLeast(s.MinProperties, "member")
	case "maxProperties":
		return violations.AtMost(s.MaxProperties, "member")
	case "minContains":
		return violations.AtLeast(s.MinContains, "item") + " of the kind that is asked for"
	case "maxContains":
		return violations.AtMost(s.MaxContains, "item") + " of one kind"
	default:
		return numberDetail(keyword, s)
	}
}

func numberDetail(keyword string, s *jsonschema.Schema) string {
	switch {
	// In draft 4 exclusiveMinimum is a flag beside minimum.
	case keyword == "exclusiveMinimum" && s.ExclusiveMinimum != nil:
		return "must be more than " + decimal(s.ExclusiveMinimum)
	case keyword == "exclusiveMaximum" && s.ExclusiveMaximum != nil:
		return "must be less than " + decimal(s.ExclusiveMaximum)
	case keyword == "minimum" && s.Minimum != nil:
		return "must be at least " + decimal(s.Minimum)
	case keyword == "maximum" && s.Maximum != nil:
		return "must be at most " + decimal(s.Maximum)
	case keyword == "multipleOf" && s.MultipleOf != nil:
		return "must be a multiple of " + decimal(s.MultipleOf)
	default:
		return formDetail(keyword, s)
	}
}

func formDetail(keyword string, s *jsonschema.Schema) string {
	switch keyword {
	case "uniqueItems":
		return "must not have an item twice"
	case "additionalItems":
		if items, ok := s.Items.([]*jsonschema.Schema); ok {
			return violations.AtMost(len(items), "item")
		}
		return "must not have more items"
	case "contains":
		return "must have an item of the kind that is asked for"
	case "not":
		return "must not be of this form"
	case "anyOf":
		return "must have one of the forms that are allowed"
	case "oneOf":
		return "must have exactly one of the forms that are allowed"
	case "contentEncoding":
		return "must be encoded in " + s.ContentEncoding
	case "contentMediaType":
		return "must hold " + s.ContentMediaType
	case "contentSchema":
		return "must hold what its schema asks for"
	default:
		return "breaks the rule of " + keyword
	}
}

func typeDetail(types []string) string {
	named := make([]string, 0, len(types))
	for _, t := range types {
		switch t {
		case "null":
		case "object", "array":
			named = append(named, "an "+t)
		case "integer":
			named = append(named, "a whole number")
		default:
			named = append(named, "a "+t)
		}
	}
	if slices.Contains(types, "null") {
		named = append(named, "null")
	}
	return "must be " + strings.Join(named, " or ")
}

// decimal writes a limit exactly, or shortly where that takes too many digits.
func decimal(limit *big.Rat) string {
	places, _ := limit.FloatPrec() // exact: it was written as a decimal
	text := limit.FloatString(places)
	if len(text) <= 40 {
		return text
	}
	return new(big.Float).SetRat(limit).Text('g', 17)
}
