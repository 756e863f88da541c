// Package snshops sends hop counters with the messages of an SNS client.
//
//	client := sns.NewFromConfig(cfg, snshops.Carry)
//
// See package recursion.
package snshops
