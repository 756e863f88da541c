// Package sqshops sends hop counters and correlation ids with the messages of an SQS client.
//
//	client := sqs.NewFromConfig(cfg, sqshops.Carry)
//
// See packages recursion and outgoing.
package sqshops
