package structs

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"
	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
)

// keywordOf returns the tag that a field breaks, without the parameters that
// the validator adds for alternatives like eq=a|eq=b.
func keywordOf(f validator.FieldError) string {
	tag, _, _ := strings.Cut(f.Tag(), "=")
	return tag
}

// detailOf describes the rule of a tag, with its limit if that is a number. Other
// parameters are not shown: they are allowed values, or names of Go fields.
func detailOf(f validator.FieldError) string {
	tag := f.ActualTag()
	switch {
	case strings.HasPrefix(tag, "required"):
		return "is required"
	case strings.HasPrefix(tag, "excluded"):
		return "is not allowed"
	case tag == "oneof" || tag == "oneofci":
		return "must be one of the values that are allowed"
	case tag == "unique":
		return "must not have an item twice"
	}
	limit := f.Param()
	if _, err := strconv.ParseFloat(limit, 64); err != nil {
		return "must satisfy " + keywordOf(f)
	}
	must := "must be"
	if unit, ok := units[f.Kind()]; ok {
		n, err := strconv.Atoi(limit)
		if err != nil {
			return "must satisfy " + keywordOf(f)
		}
		must, limit = "must have", violations.Plural(n, unit)
	}
	switch tag {
	case "min", "gte":
		return must + " at least " + limit
	case "max", "lte":
		return must + " at most " + limit
	case "gt":
		return must + " more than " + limit
	case "lt":
		return must + " less than " + limit
	case "len":
		return must + " exactly " + limit
	default:
		return "must satisfy " + keywordOf(f)
	}
}

var units = map[reflect.Kind]string{
	reflect.String: "character", reflect.Slice: "item", reflect.Array: "item", reflect.Map: "member",
}
