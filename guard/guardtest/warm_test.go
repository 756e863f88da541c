package guardtest_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func TestWarmStartsOneProcess(t *testing.T) {
	fn := start(t, guardtest.Config{Instances: 3})
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if err := fn.Warm(within(t, patient)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := fn.WaitLog(within(t, patient), "init of"); err != nil {
		t.Fatal(err)
	}
	pid := answer(t, fn, `{"do":"pid"}`)
	if n := strings.Count(fn.Log(), "init of"); n != 1 || !strings.Contains(fn.Log(), "init of "+pid) {
		t.Errorf("%d processes, %s answers: %s", n, pid, fn.Log())
	}
	answer(t, fn, `{"do":"pid"}`)
	if err := fn.Warm(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWarmTellsWhyThereIsNoProcess(t *testing.T) {
	missing, err := guardtest.NewFunction(filepath.Join(t.TempDir(), "bootstrap"), guardtest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer missing.Close()
	for want, fn := range map[string]*guardtest.Function{
		guardtest.TypeEntrypoint: missing,
		guardtest.TypeExit:       start(t, guardtest.Config{Env: []string{"INIT=exit"}}),
	} {
		for range 2 {
			if got := failure(t, fn.Warm(within(t, patient))); got.Type != want {
				t.Errorf("%v, want %s", got, want)
			}
		}
	}
	hanging := start(t, guardtest.Config{Env: []string{"INIT=hang"}, InitTimeout: patient})
	ctx, leave := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() { waited <- hanging.Warm(ctx) }()
	leave()
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("left: %v", err)
	}
	go func() { waited <- hanging.Warm(t.Context()) }()
	hanging.Close()
	if err := <-waited; !errors.Is(err, guardtest.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := hanging.Warm(t.Context()); !errors.Is(err, guardtest.ErrClosed) {
		t.Errorf("already closed: %v", err)
	}
}
