package awsparams_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestRequestsAtATimeAreBounded(t *testing.T) {
	p, source := stub(t)
	const most = 4
	var now, max, full atomic.Int64
	release := make(chan struct{})
	p.meet("GetParameters", func(w http.ResponseWriter, r *http.Request, body []byte) {
		n := now.Add(1)
		for old := max.Load(); n > old && !max.CompareAndSwap(old, n); old = max.Load() {
		}
		if n == most && full.Add(1) == 1 {
			close(release) // they are under way at once
		}
		<-release
		now.Add(-1)
		answer(map[string]any{"Parameters": []parameter{{Name: "a", Value: "value"}}})(w, r, body)
	})
	refs := make([]secrets.Ref, 50)
	for i := range refs {
		refs[i] = secrets.Ref{Name: "a", Version: fmt.Sprint(i)}
	}
	for _, v := range fetch(t, source, refs...) {
		mustHave(t, v, "value")
	}
	if max.Load() != most {
		t.Errorf("%d requests at a time, want %d", max.Load(), most)
	}
}
