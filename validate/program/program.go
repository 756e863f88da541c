// Package program is a compiled JSON Schema as plain data. The command
// schemagen writes it as Go source, so that a function links no schema
// compiler:
//
//	//go:generate go tool schemagen -var orderSchema -o order_schema.go order.schema.json
//
// Nothing here is to be written by hand.
package program

import "math"

// Version is that of the data. It changes with what a field means.
const Version = 1

// Program is a compiled schema.
type Program struct {
	// Version must be [Version]: source that an older schemagen wrote has to
	// be generated again.
	Version int
	// Schemas are all schemas that are used. The first is not used, the second
	// is the root.
	Schemas []Schema
}

// Root is the schema that judges the whole value.
const Root ID = 1

// ID is the index of a schema in a program; 0 is none.
type ID int

// Unlimited is the Max of a [Range] without an upper limit.
const Unlimited = math.MaxInt

// Types is a set of JSON types.
type Types uint8

// The JSON types. Number includes Integer.
const (
	Null Types = 1 << iota
	Boolean
	String
	Number
	Integer
	Array
	Object
)

// Schema is what one JSON Schema asks of a value. The zero value asks nothing.
type Schema struct {
	Never bool  // the schema false
	Types Types // 0: any

	// Const and Enum are JSON texts, of which the value must equal one.
	Const, Enum []string

	// Each is about values of one type, nil where it asks nothing.
	Object  *ObjectRules
	Array   *ArrayRules
	String  *StringRules
	Number  *NumberRules
	Content *ContentRules // of strings

	// These judge the same value.
	Ref                 ID
	AllOf, AnyOf, OneOf []ID
	Not, If, Then, Else ID

	// These judge what no other schema has judged.
	UnevaluatedProperties, UnevaluatedItems ID
}

// Range limits a count. Both ends belong to it.
type Range struct{ Min, Max int }

// ObjectRules are about the members of an object.
type ObjectRules struct {
	Count      *Range
	Members    []Member
	Patterns   []Pattern
	Additional ID // judges members with neither a schema in Members nor a pattern
	Names      ID // judges the names
	Dependent  []Dependent
}

// Member is one that is required or has a schema.
type Member struct {
	Name     string
	Required bool
	Schema   ID
}

// Pattern sets a schema on the members whose names match a regular expression.
type Pattern struct {
	Pattern string
	Schema  ID
}

// Dependent is what an object needs if it has the member Name.
type Dependent struct {
	Keyword, Name string
	Required      []string
	Schema        ID
}

// ArrayRules are about the elements of an array.
type ArrayRules struct {
	Count  *Range
	Unique bool
	// Prefix judges the first elements, one each, and Items the others. Tuple
	// reports whether their keywords are items and additionalItems, and not
	// prefixItems and items.
	Prefix []ID
	Items  ID
	Tuple  bool
	// Contains must accept as many elements as Matches says.
	Contains ID
	Matches  Range
	// ContainsEvaluates reports whether such an element counts as judged.
	ContainsEvaluates bool
}

// StringRules are about a string.
type StringRules struct {
	Length  *Range // in characters
	Pattern string // "": any
	Format  string
}

// NumberRules are limits, as JSON texts; "" is none.
type NumberRules struct {
	Minimum, ExclusiveMinimum, Maximum, ExclusiveMaximum, MultipleOf string
}

// ContentRules are about what is encoded in a string.
type ContentRules struct {
	Base64, JSON bool
	Schema       ID
}
