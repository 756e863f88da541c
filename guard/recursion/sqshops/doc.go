// Package sqshops sends hop counters with the messages of an SQS client.
//
//	client := sqs.NewFromConfig(cfg, sqshops.Carry)
//
// See package recursion.
package sqshops
