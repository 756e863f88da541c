// Package metrics counts and times what happens in an invocation, and writes it to
// CloudWatch in the embedded metric format: as a line of JSON on standard output.
//
//	emf := metrics.New(os.Stdout, "Shop")
//	guard.Start(routes, metrics.Default(emf), httpapi.Default(log))
//
// and in a handler
//
//	err := metrics.Add(ctx, "OrdersPlaced", metrics.Count, 1)
package metrics
