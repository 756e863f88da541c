package guard

import "context"

// TriggerOf is what [Event.Trigger] remembers, for measuring it alone.
var TriggerOf = triggerOf

// Added is how many attributes the record of the invocation has to take.
func Added(ctx context.Context) int { return len(invocationOf(ctx).attrs) }
