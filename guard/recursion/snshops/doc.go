// Package snshops sends hop counters and correlation ids with the messages of an SNS client.
//
//	client := sns.NewFromConfig(cfg, snshops.Carry)
//
// See packages recursion and outgoing.
package snshops
