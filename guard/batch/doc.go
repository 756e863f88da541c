// Package batch handles the records of a queue or a stream one by one, and reports
// to Lambda which of them failed.
package batch
