package fetch

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestNoMoreRequestsAtATimeThanAllowed(t *testing.T) {
	for _, tt := range []struct{ atOnce, requests int }{{atOnce: 1, requests: 5}, {atOnce: 3, requests: 2}, {atOnce: 4, requests: 4}, {atOnce: 4, requests: 100}} {
		t.Run(fmt.Sprint(tt.requests, " by ", tt.atOnce), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ran atomic.Int64
				release := make(chan struct{})
				requests := make([]func(), tt.requests)
				for i := range requests {
					requests[i] = func() {
						ran.Add(1)
						<-release
					}
				}
				var all sync.WaitGroup
				all.Go(func() { Concurrently(tt.atOnce, requests) })
				synctest.Wait()
				if n, want := int(ran.Load()), min(tt.atOnce, tt.requests); n != want {
					t.Errorf("got %d at a time, want %d", n, want)
				}
				close(release)
				all.Wait()
				if n := int(ran.Load()); n != tt.requests {
					t.Errorf("got %d requests, want %d", n, tt.requests)
				}
			})
		})
	}
}

func TestNoRequestsAreDoneAtOnce(t *testing.T) {
	Concurrently(4, nil)
	if values := Each(nil, 4, nil); len(values) != 0 {
		t.Errorf("got %v, want no values", values)
	}
}

func TestAPanicIsTheCallersWhenAllHaveEnded(t *testing.T) {
	for _, n := range []int{1, 2, 20} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			requests := []func(){func() { panic("broken") }}
			for range n - 1 {
				requests = append(requests, func() { <-release })
			}
			recovered := make(chan any, 1)
			go func() {
				defer func() { recovered <- recover() }()
				Concurrently(4, requests)
			}()
			synctest.Wait()
			if n > 1 && len(recovered) > 0 {
				t.Errorf("got panic %v with requests under way, want it later", <-recovered)
			}
			close(release)
			if r := <-recovered; r != "broken" {
				t.Errorf("recovered %v, want broken", r)
			}
		})
	}
}

func TestEachRefIsFetched(t *testing.T) {
	for _, n := range []int{0, 1, 2, 100} {
		var refs []secrets.Ref
		for i := range n {
			refs = append(refs, secrets.Ref{Name: strings.Repeat("x", i)})
		}
		refs = append(refs, secrets.Ref{Name: "x", Stage: "other"}, secrets.Ref{Name: "x", Encrypted: true})
		var asked atomic.Int64
		values := Each(refs, 8, func(ref secrets.Ref) secrets.Value {
			asked.Add(1)
			return secrets.Value{Data: fmt.Append(nil, ref)}
		})
		if len(values) != len(refs) || asked.Load() != int64(n+2) {
			t.Fatalf("got %d values and %d fetches, want %d", len(values), asked.Load(), len(refs))
		}
		for i, v := range values {
			if string(v.Data) != fmt.Sprint(refs[i]) {
				t.Errorf("%d of %d: got %q, want the value of %v", i, n, v.Data, refs[i])
			}
		}
	}
}
