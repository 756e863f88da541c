// Package validate refuses what a schema does not allow, before a handler sees
// it: the body of an HTTP request, a whole event, what a JMESPath selects, a
// record of a batch, the parameters of a request, and what a handler returns.
//
//	//go:embed order.schema.json
//	var orderSchema []byte
//
//	func main() {
//		guard.Start(httpapi.Func(placeOrder),
//			guard.Log(logger),
//			httpapi.Problems(),
//			guard.Recover(),
//			guard.Limit(guard.Limits{}),
//			validate.Body(validate.MustCompile(orderSchema)),
//		)
//	}
//
// Schemas are JSON Schema of draft 4 to 2020-12. They are compiled when the
// function starts, reach no network and no file that was not given, and match
// patterns in linear time. Structs with validator tags are the matter of the
// package structs below this one: it links 2 MiB more, and only where it is
// used.
//
// # What is judged
//
// A layer asks the shared [guard.Event] for its tree: strict JSON, read once,
// numbers as they were written. 9007199254740993 is more than
// 9007199254740992, 1.0 is an integer, 1e400 is a number. A number of more than
// 512 digits, or beyond 1e±512, is refused: comparing it takes too long.
//
// # What is answered
//
// A refusal is a [*guard.Error] of kind Invalid and code validation_failed. It
// lists up to 20 places, the deepest first, then in the order of the pointers,
// and counts the rest. A place is a JSON pointer, the keyword that it breaks,
// and a sentence with the keyword's own limit:
//
//	/items/0/quantity  maximum               must be at most 99
//	/items/1/sku       required              is required
//	/discount          additionalProperties  is not allowed
//
// A member that is missing or unknown has its own pointer, so that a form can
// show the error beside its field; one whose name is "" is taken for the object
// around it, as the library does. Neither the answer nor the log repeats a
// value; the name of a member is in a pointer and nowhere else. Patterns,
// enumerations and constants of the schema are not shown either.
//
// # What it costs
//
// What is valid is accepted without an allocation where the schema keeps to
// the usual keywords. The library is asked about all else: it is the one that
// refuses. It checks everything before it answers, and what a hostile input
// could make of that is bounded beforehand, see [MaxChecks].
package validate
