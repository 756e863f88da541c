// Package validate refuses inputs that a JSON Schema does not allow, before a
// handler sees them.
//
//	guard.Start(httpapi.Func(placeOrder),
//		httpapi.Problems(),
//		guard.Recover(),
//		guard.Limit(guard.Limits{}),
//		validate.Body(orderSchema),
//	)
//
// A schema is compiled in one of two ways:
//
//	//go:generate go tool schemagen -var orderSchema -o order_schema.go order.schema.json
//
//	var orderSchema = schema.MustCompile(text) // of package schema
//
// The first compiles it when the function is built, and is smaller and faster
// to start. The second links a schema compiler.
//
// [Body] validates the body of an HTTP request, and [Parameters] its path, query
// and header values. [Event] validates a whole event, [Records] the records of a
// batch, and [Result] the handler's answer. Package validate/jmespath validates a
// part of an event, and package validate/structs uses struct tags in place of a
// schema.
//
// # Input
//
// Inputs are strict JSON. Numbers are compared exactly as they are written:
// 9007199254740993 is more than 9007199254740992, 1.0 is an integer, and 1e400
// is a number. Numbers of more than 512 digits or beyond 1e±512 are refused.
//
// # Errors
//
// A refusal is a [*guard.Error] of kind Invalid with the code validation_failed.
// It lists up to 20 places, the deepest first, each with a JSON pointer, the
// keyword, and the limit of the keyword:
//
//	/items/0/quantity  maximum               must be at most 99
//	/items/1/sku       required              is required
//	/discount          additionalProperties  is not allowed
//
// No error and no log contains a value of the input. Names of members are in
// pointers only. Patterns, enumerations and constants of the schema are not
// shown.
//
// # Cost
//
// Patterns match in linear time, and the work on one input is limited, see
// [MaxSteps]. An input beyond the limit is refused with the code
// validation_too_costly, and the error has the place where the limit was
// reached.
package validate
