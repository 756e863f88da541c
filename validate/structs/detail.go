package structs

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"
	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
)

// keywordOf is the tag that a field breaks. Of alternatives like eq=a|eq=b the
// validator gives the parameters, too: those stay out of it.
func keywordOf(f validator.FieldError) string {
	tag, _, _ := strings.Cut(f.Tag(), "=")
	return tag
}

// detailOf says what a tag asks for, with its limit where that is a number. The
// parameters of other tags stay out of it: they are values that are allowed, or
// names of Go fields.
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
	case f.Param() == "":
		return "must satisfy " + keywordOf(f)
	}
	return limitDetail(f, tag)
}

func limitDetail(f validator.FieldError, tag string) string {
	unit := ""
	switch f.Kind() {
	case reflect.String:
		unit = "character"
	case reflect.Slice, reflect.Array:
		unit = "item"
	case reflect.Map:
		unit = "member"
	}
	n, err := strconv.Atoi(f.Param())
	if unit != "" && err == nil {
		switch tag {
		case "min", "gte":
			return violations.AtLeast(n, unit)
		case "max", "lte":
			return violations.AtMost(n, unit)
		case "gt":
			return "must have more than " + violations.Plural(n, unit)
		case "lt":
			return "must have less than " + violations.Plural(n, unit)
		case "len":
			return "must have exactly " + violations.Plural(n, unit)
		}
	}
	if _, err := strconv.ParseFloat(f.Param(), 64); err == nil && unit == "" {
		switch tag {
		case "min", "gte":
			return "must be at least " + f.Param()
		case "max", "lte":
			return "must be at most " + f.Param()
		case "gt":
			return "must be more than " + f.Param()
		case "lt":
			return "must be less than " + f.Param()
		}
	}
	return "must satisfy " + keywordOf(f)
}
