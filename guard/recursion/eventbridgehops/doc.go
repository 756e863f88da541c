// Package eventbridgehops sends hop counters with the events of an EventBridge client.
//
//	client := eventbridge.NewFromConfig(cfg, eventbridgehops.Carry)
//
// See package recursion.
package eventbridgehops
