// Package program is the data format of compiled JSON Schemas, which the command
// schemagen writes as Go source. Do not write it by hand.
package program

// Version is the version of the data format. It changes if a field changes its
// meaning.
const Version = 1

// Program is a compiled schema.
type Program struct {
	// Version must be [Version]. Generate a program of another version again.
	Version int
	// Schemas are all schemas that are used. The first is not used, and the
	// second is the root.
	Schemas []Schema
}

// Root is the schema that judges the whole value.
const Root ID = 1

// ID is the index of a schema in a program; 0 is none.
type ID int

// Types is a set of JSON types.
type Types uint8

// The JSON types. Number includes Integer.
const (
	Boolean Types = 1 << iota
	String
	Number
	Integer
	Array
	Object
	Null
)

// Schema has the rules of one JSON Schema. The zero value accepts every value.
type Schema struct {
	Never  bool  // the schema false
	Shared bool  // a value may be judged more than once
	Types  Types // 0: any
	Rules  []Rule
}

// Rule is a keyword. It uses some of the fields:
//
//	minLength, maxLength, minItems and so on  Count
//	minimum, multipleOf and so on             Text, a JSON number
//	pattern, format                           Text
//	const, enum                               Texts, in JSON
//	required                                  Texts
//	properties                                Members, Patterns, and Schema for the others
//	propertyNames                             Schema
//	dependentRequired, dependentSchemas       Text is a member; what it needs is in Texts and Schema
//	prefixItems                               Schemas for the first elements, and Schema for the others
//	additionalItems                           the same, where the first keyword is called items
//	contains                                  Schema, and Count and Most for how many elements
//	contentEncoding                           Text
//	contentMediaType                          Text is the encoding, and Schema judges the JSON
//	allOf, anyOf, oneOf                       Schemas; a $ref is in allOf
//	if                                        Schemas: if, then and else
//	not                                       Schema
//	unevaluatedProperties, unevaluatedItems   Schema
type Rule struct {
	Keyword     string
	Count, Most int
	Text        string
	Texts       []string
	Schema      ID
	Schemas     []ID
	Members     []Member // by name
	Patterns    []Member // by a pattern for their names
	Evaluates   bool     // elements that contains accepts count as judged
}

// Member sets a schema on members of an object.
type Member struct {
	Name   string
	Schema ID
}
