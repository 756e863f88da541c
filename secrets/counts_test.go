package secrets_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/counttest"
	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestStaleSecretsAreCounted(t *testing.T) {
	c, v, at := newCache()
	get := func(ctx context.Context) {
		for range 2 {
			_, _ = c.Get(ctx, name)
		}
	}
	for _, tc := range []struct {
		what  string
		after time.Duration
		err   error
		want  int
	}{
		{what: "fetched, then fresh"},
		{what: "fetched again", after: 5 * time.Minute},
		{what: "the source is down", after: 6 * time.Minute, err: secrets.ErrUnavailable, want: 2},
		{what: "and for too long", after: time.Hour, err: secrets.ErrUnavailable},
	} {
		v.fail(tc.err)
		at.move(tc.after)
		want := map[string]int{}
		if tc.want > 0 {
			want[layer.StaleSecrets] = tc.want
		}
		if got := counttest.Of(t.Context(), get); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", tc.what, got, want)
		}
	}
}
