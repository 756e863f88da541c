package guard

// TriggerOf is what [Event.Trigger] remembers, for measuring it alone.
var TriggerOf = triggerOf
