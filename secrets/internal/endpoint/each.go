package endpoint

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// Each fetches refs one by one, some at once, and gives the values in the order
// of the refs: for an endpoint that takes one at a time.
func Each(ctx context.Context, refs []secrets.Ref, atOnce int, fetch func(context.Context, secrets.Ref) secrets.Value) []secrets.Value {
	values := make([]secrets.Value, len(refs))
	var taken atomic.Int64
	work := func() {
		for i := taken.Add(1) - 1; i < int64(len(refs)); i = taken.Add(1) - 1 {
			values[i] = fetch(ctx, refs[i])
		}
	}
	var others sync.WaitGroup
	for range min(atOnce, len(refs)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	return values
}
