package guard

// TriggerOf is what [Event.Trigger] remembers, for measuring it alone.
var TriggerOf = func(payload []byte) Trigger { return (&Event{raw: payload}).Trigger() }
