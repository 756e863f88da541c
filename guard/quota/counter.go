package quota

import (
	"context"
	"time"
)

// Counter counts what is used of a quota, for all processes that share a store. A
// MemoryStore of package idempotency is one, and so are the stores of its packages
// dynamo and valkey. It may be called concurrently, also by processes that share
// nothing but the store.
type Counter interface {
	// Take takes want from the quota of limit under key, or what is left of it, in
	// one atomic step. It returns how much it took, and how much is taken in all.
	// Over all calls for a key, no more than limit is taken. want and limit are at
	// least 1.
	//
	// After an error the step may or may not have been taken. The counter may be
	// forgotten once expires has passed, and must not be before.
	Take(ctx context.Context, key string, want, limit int64, expires time.Time) (took, used int64, err error)
}
