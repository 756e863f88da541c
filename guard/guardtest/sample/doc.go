// Package sample builds the events of all triggers, such as SQS, S3 and HTTP, for
// tests of Lambda handlers.
//
// [Of] returns an event as AWS sends it. Its methods set what a test is about:
//
//	event := sample.Of(guard.SQS).
//		Messages(`{"order":1}`, `{"order":2}`).
//		Set("/Records/0/attributes/ApproximateReceiveCount", "5")
//	answer, err := handler.Invoke(ctx, event.Bytes())
//
// [HTTP] builds the event of an HTTP request:
//
//	event := sample.HTTP("PUT", "/orders/42").Route("PUT /orders/{id}").JSON(`{"status":"paid"}`)
package sample
