package compare

import (
	"context"
	"net/http"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// BenchmarkReplay measures an order that was placed before. The bare handler
// places it again.
func BenchmarkReplay(b *testing.B) {
	raw := payload(b, "post_order.json")
	created := answers(http.StatusCreated, accepted)
	placed := 0
	counted := guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		placed++
		return post().Invoke(ctx, payload)
	})
	once := idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"))
	benchmark(b, "bare", barePost(), raw, created)
	benchmark(b, "Once", guard.Wrap(counted, once), raw, created)
	if placed > 1 {
		b.Errorf("the order was placed %d times, want once", placed)
	}
}
