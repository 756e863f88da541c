package valkey

// The scripts, to send without a store.
const (
	ClaimScript    = claimScript
	CompleteScript = completeScript
)
