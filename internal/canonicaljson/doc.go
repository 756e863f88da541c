// Package canonicaljson gives every JSON value one text, so that equal values
// have equal hashes. It follows the JSON Canonicalization Scheme (RFC 8785):
// no space, members sorted by the UTF-16 code units of their names, strings
// with as few escapes as there can be, numbers as ECMAScript prints them.
//
// # Numbers
//
// RFC 8785 reads every number as a double, to which 9007199254740993 and
// 9007199254740992 are the same. Here two orders of different amounts must not
// become one, so a number whose value is whole keeps all of its digits, in
// ECMAScript's layout: plain up to 21 digits, with an exponent beyond. Whole
// numbers that are written with no more digits than their double needs, as all
// up to 2^53 are, come out as RFC 8785 has them; 1, 1.0 and 10e-1 are all 1. Numbers with a fraction are read as doubles, as the document says,
// except that one too large or too small for a double keeps its digits instead
// of becoming infinite or 0.
//
// # What is refused
//
// A text that is not JSON, a member twice in one object, invalid UTF-8, half a
// surrogate pair, more than 1000 levels of nesting, and an exponent of more
// than nine digits.
//
// https://www.rfc-editor.org/rfc/rfc8785
package canonicaljson
