package secrets_test

import (
	"context"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// fixed is a source that has one value for all names.
type fixed string

func (f fixed) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	values := make([]secrets.Value, len(refs))
	for i := range values {
		values[i] = secrets.Value{Data: []byte(f), Version: "1"}
	}
	return values, nil
}

// full is a cache of a hundred values.
func full(tb testing.TB) *secrets.Cache {
	tb.Helper()
	c := secrets.New(fixed("hunter2"))
	if err := c.Prefetch(tb.Context(), append(names(99), name)...); err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestAWarmGetTakesNoMemory(t *testing.T) {
	c := full(t)
	ctx := t.Context()
	opts := []secrets.GetOption{secrets.VersionStage("x"), secrets.VersionID("1"), secrets.Decrypt(false)}
	for what, do := range map[string]func(){
		"Get":          func() { _, _ = c.Get(ctx, name) },
		"with options": func() { _, _ = c.Get(ctx, name, opts...) },
		"with its own": func() { _, _ = c.Get(ctx, name, secrets.VersionStage("AWSPREVIOUS")) },
		"Try":          func() { _, _ = secrets.Try(ctx, c, name, length) },
	} {
		do()
		if n := testing.AllocsPerRun(100, do); n != 0 {
			t.Errorf("%s: got %v allocations, want none", what, n)
		}
	}
}

func length(_ context.Context, s secrets.Secret) (int, error) { return len(s.Text()), nil }

func BenchmarkGet(b *testing.B) {
	c, ctx := full(b), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(ctx, name); err != nil {
			b.Fatal(err)
		}
	}
}

// A processor takes GOMAXPROCS times the figure for one Get.
func BenchmarkGetOnAllProcessors(b *testing.B) {
	c, ctx := full(b), b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Get(ctx, name); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkGetWithStage(b *testing.B) {
	c, ctx := full(b), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(ctx, name, secrets.VersionStage("AWSCURRENT")); err != nil {
			b.Fatal(err)
		}
	}
}

var sink string

func BenchmarkText(b *testing.B) {
	s, err := full(b).Get(b.Context(), name)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		sink = s.Text()
	}
}

func BenchmarkTry(b *testing.B) {
	c, ctx := full(b), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := secrets.Try(ctx, c, name, length); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	c, ctx := secrets.New(fixed(`{"username":"app","password":"hunter2","port":5432}`)), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := secrets.JSON[map[string]any](ctx, c, name); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPair(b *testing.B) {
	c, ctx := full(b), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Pair(ctx, name); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPrefetchOfTenCold(b *testing.B) {
	ctx, ten := b.Context(), names(10)
	b.ReportAllocs()
	for b.Loop() {
		if err := secrets.New(fixed("hunter2")).Prefetch(ctx, ten...); err != nil {
			b.Fatal(err)
		}
	}
}
