// Package canonicaljson returns one text for every JSON value, so that equal values
// have equal hashes. It follows the JSON Canonicalization Scheme (RFC 8785). There
// is no space, and members are sorted by the UTF-16 code units of their names.
// Strings have as few escapes as possible, and numbers are printed as in
// ECMAScript.
//
// # Numbers
//
// RFC 8785 reads every number as a double, so that 9007199254740993 and
// 9007199254740992 are the same. Here a whole number keeps all of its digits, in
// ECMAScript's layout: plain up to 21 digits, with an exponent beyond. 1, 1.0 and
// 10e-1 are all 1. Numbers with a fraction are read as doubles. One that is too
// large or too small for a double keeps its digits.
//
// # What is refused
//
// A text that is not JSON, a duplicate member, invalid UTF-8, half a surrogate
// pair, more than 1000 levels of nesting, and an exponent of more than nine digits.
//
// https://www.rfc-editor.org/rfc/rfc8785
package canonicaljson
