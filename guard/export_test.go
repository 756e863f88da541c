package guard

import "context"

// TriggerOf is what [Event.Trigger] remembers, for measuring it alone.
var TriggerOf = func(payload []byte) Trigger { return (&Event{raw: payload}).Trigger() }

// Added is how many attributes the record of the invocation has to take.
func Added(ctx context.Context) int { return len(invocationOf(ctx).attrs) }
