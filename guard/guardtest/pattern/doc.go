// Package pattern matches events against EventBridge event patterns, so that a rule
// or a filter is tested without AWS.
//
// An event pattern is the JSON of a rule's EventPattern, or of a filter in an event
// source mapping. A pattern of a rule is a [Pattern]:
//
//	large := pattern.MustParse(`{"detail-type": ["Order Placed"], "detail": {"total": [{"numeric": [">", 100]}]}}`)
//	matched, err := large.Match(event)
//
// The FilterCriteria of an event source mapping is a [Filter]. It knows what the
// source shows to a filter, such as an SQS body that is JSON.
//
// The rules are those of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html:
// every field of a pattern must match, one value of a field's array is enough, and an
// array in the event matches by any of its elements. Fields of objects in an array
// match only if one object has them all. Names and strings are compared exactly.
//
// # Where the sources disagree
//
// EventBridge runs github.com/aws/event-ruler, and TestEventPattern answers as it does.
// This package follows those two where the user guide says otherwise:
//
//   - Numbers are compared as numbers: [300] matches 300.0 and 3e2. The guide says
//     that their texts are compared.
//   - Numbers have the range and precision of a float64. The guide names a
//     narrower range. A number that no float64 holds exactly enough to print it
//     again is compared by its text.
//   - A name with a dot is a path: {"a.b": [1]} and {"a": {"b": [1]}} are the same
//     pattern, in events as well.
//   - exists is judged in the object of an array that the fields before it,
//     by name, have chosen.
//
// Where it is stricter than event-ruler, a pattern says nothing that is published:
//
//   - A path that is written twice is refused, also in $or. EventBridge uses the
//     last one.
//   - $or must be a list of two or more patterns. event-ruler takes other forms for a
//     field of that name.
//   - The operator "exactly" is refused.
//   - A string that is an IP address matches by its text. event-ruler also matches
//     other spellings of the address.
//
// JSON that is nested more than 1000 deep is refused; as a body or as data it is a plain text.
//
// EventBridge refuses wildcards that it finds too complex. The measure is not
// published, and this package accepts them.
package pattern
