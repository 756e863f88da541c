package guard_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

func TestDefaultHasEveryLayer(t *testing.T) {
	log, book := logbook.New()
	h := guard.Wrap(guard.Func(func(_ context.Context, in order) (string, error) {
		if in.Role == "panic" {
			panic("x")
		}
		return in.Role, nil
	}), guard.Default(log))
	for _, tc := range []struct{ payload, out, code string }{
		{payload: `{"role":"user"}`, out: `"user"`},
		{payload: `{"role":"user","ROLE":"admin"}`, code: "case_variant_member"},
		{payload: `{"role":"panic"}`, code: "panic"},
		{payload: strings.Repeat("[", 65), code: "json_too_deep"},
	} {
		book.Reset()
		out, err := h.Invoke(invocation(t.Context(), "r-1"), []byte(tc.payload))
		if string(out) != tc.out {
			t.Errorf("%s: %s", tc.payload, out)
		}
		if tc.code == "" {
			if err != nil {
				t.Error(err)
			}
		} else if got := posted(t, err); got.Type != tc.code {
			t.Errorf("%s: %+v, want %s", tc.payload, got, tc.code)
		}
		book.Only(t)
	}
}

// 64 invocations meet in the handler before any goes on, so that all of them
// are under way at once; each must find its own event, ids and attributes.
//
// SECURITY: Kept apart.
func TestConcurrentInvocationsShareNoState(t *testing.T) {
	const n = 64
	log, book := logbook.New()
	var arrived sync.WaitGroup
	arrived.Add(n)
	type event struct {
		ID int `json:"id"`
	}
	h := guard.Wrap(guard.Func(func(ctx context.Context, in event) (event, error) {
		arrived.Done()
		arrived.Wait()
		layer.SetRoute(ctx, fmt.Sprint(in.ID))
		guard.AddAttrs(ctx, slog.Int("id", in.ID))
		log.InfoContext(ctx, "inside", "id", in.ID)
		lc, _ := lambdacontext.FromContext(ctx)
		if lc.AwsRequestID != fmt.Sprint("r-", in.ID) {
			t.Errorf("%d runs as %s", in.ID, lc.AwsRequestID)
		}
		switch in.ID % 4 {
		case 1:
			return event{}, guard.Errorf(guard.NotFound, fmt.Sprint("e-", in.ID), "")
		case 2:
			panic(in.ID)
		default:
			return in, nil
		}
	}), guard.Default(log))

	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			out, err := h.Invoke(invocation(t.Context(), fmt.Sprint("r-", i)), fmt.Appendf(nil, `{"id":%d}`, i))
			want, code := fmt.Sprintf(`{"id":%d}`, i), ""
			switch i % 4 {
			case 1:
				want, code = "", fmt.Sprint("e-", i)
			case 2:
				want, code = "", "panic"
			}
			if string(out) != want || (err == nil) != (code == "") || err != nil && posted(t, err).Type != code {
				t.Errorf("%d: %s, %v", i, out, err)
			}
		})
	}
	wg.Wait()

	records := book.Records(t)
	if len(records) != 2*n {
		t.Fatalf("%d records, want %d", len(records), 2*n)
	}
	cold := 0
	for _, record := range records {
		if record["requestId"] != fmt.Sprint("r-", record["id"]) {
			t.Errorf("%v", record)
		}
		if record["coldStart"] == true {
			cold++
		}
	}
	if cold != 1 {
		t.Errorf("%d cold starts", cold)
	}
}

func TestDefaultLimitsAlsoWhatIsNotDecoded(t *testing.T) {
	log, _ := logbook.New()
	h := &counter{}
	_, err := guard.Wrap(h, guard.Default(log)).Invoke(t.Context(), make([]byte, 6<<20+1))
	if got := posted(t, err); got.Type != "payload_too_large" || h.calls != 0 {
		t.Errorf("%d calls, %+v", h.calls, got)
	}
}
