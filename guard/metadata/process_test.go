package metadata_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// A function's process finds the endpoint by its variables.
func TestAFunctionFindsItsZone(t *testing.T) {
	binary := guardtest.Build(t, "./testdata/zone")
	for _, c := range []struct {
		what       string
		cfg        guardtest.Config
		want, line string
	}{
		{what: "by default", want: `"use1-az1"`, line: `"availabilityZoneId":"use1-az1"`},
		{what: "elsewhere", cfg: guardtest.Config{AvailabilityZoneID: "euc1-az2"}, want: `"euc1-az2"`, line: `"availabilityZoneId":"euc1-az2"`},
		{
			what: "with a wrong token", cfg: guardtest.Config{Env: []string{"AWS_LAMBDA_METADATA_TOKEN=guessed"}},
			want: `"metadata: availability zone: *lambdaapi.Error status 401"`, line: `"message":"invocation"`,
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			c.cfg.Timeout = time.Minute
			fn := guardtest.Start(t, binary, c.cfg)
			ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
			defer stop()
			result, err := fn.Invoke(ctx, []byte("{}"))
			if err != nil || string(result.Payload) != c.want {
				t.Errorf("got %s and %v, want %s", result.Payload, err, c.want)
			}
			if err := fn.WaitLog(ctx, c.line); err != nil {
				t.Error(err)
			}
			if strings.Contains(fn.Log(), "availabilityZoneId") != strings.Contains(c.line, "availabilityZoneId") {
				t.Errorf("got the log\n%s", fn.Log())
			}
		})
	}
}

// A snapshot that was made in one zone is restored in another.
func TestARestoredFunctionFindsItsNewZone(t *testing.T) {
	e := serve(t)
	fn := guardtest.Start(t, guardtest.Build(t, "./testdata/zone"), guardtest.Config{
		SnapStart: true, Timeout: time.Minute,
		Env: []string{"AWS_LAMBDA_METADATA_API=" + os.Getenv("AWS_LAMBDA_METADATA_API"), "AWS_LAMBDA_METADATA_TOKEN=t0ken", "ASK_AT_INIT=1"},
	})
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	if err := fn.Warm(ctx); err != nil {
		t.Fatal(err)
	}
	if err := fn.WaitLog(ctx, "init in use1-az1 <nil>"); err != nil {
		t.Fatal(err)
	}
	e.set(answering("use1-az2", "private, max-age=43200, immutable"))
	result, err := fn.Invoke(ctx, []byte("{}"))
	if want := `"use1-az2"`; err != nil || string(result.Payload) != want {
		t.Errorf("got %s and %v, want %s", result.Payload, err, want)
	}
}
