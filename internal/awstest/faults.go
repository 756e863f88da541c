package awstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/secrets"
)

func (s Subject) unanswered(t *testing.T) {
	for name, m := range map[string]awsproxy.Mishap{
		"dropped":       awsproxy.Drop,
		"cut":           Cut(s.Cut),
		"not JSON":      func(w http.ResponseWriter, _ *http.Request, _ []byte) { _, _ = io.WriteString(w, "hunter2") },
		"another shape": Answer(s.Misshapen),
		"no HTTP":       Say(`{"SecretString":"hunter2"}`),
		"no header":     Say("HTTP/1.1 200 OK\r\nhunter2\r\n\r\n"),
		"a gateway's": func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			http.Error(w, "<h1>bad gateway</h1>", http.StatusBadGateway)
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, source := s.start(t, m)
			for _, names := range s.Fetches {
				for _, v := range Fetch(t, source, Named(names...)...) {
					MustMean(t, v.Err, secrets.ErrUnavailable)
					if shown := fmt.Sprintf("%v %+v %#v", v.Err, v.Err, v.Err); strings.Contains(shown, "hunter2") {
						t.Errorf("the error shows the secret: %s", shown)
					}
					var unread *smithy.DeserializationError
					if errors.As(v.Err, &unread) {
						t.Error("the error keeps what it could not read")
					}
				}
			}
		})
	}
	t.Run("no server", func(t *testing.T) {
		p, source := s.start(t, nil)
		p.Close()
		MustMean(t, Fetch(t, source, Named("a")...)[0].Err, secrets.ErrUnavailable)
	})
}

// untilTheEnd are requests that only their context ends.
func untilTheEnd() map[string]awsproxy.Mishap {
	return map[string]awsproxy.Mishap{"before the answer": awsproxy.Hang, "within it": Begin(`{"hunter2": `)}
}

func (s Subject) deadline(t *testing.T) {
	for name, m := range untilTheEnd() {
		t.Run(name, func(t *testing.T) {
			_, source := s.start(t, m, func(cfg *aws.Config) { cfg.HTTPClient = caller(func() {}) })
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			values, err := source.Fetch(ctx, Named("a"))
			if err != nil {
				t.Fatal(err)
			}
			MustMean(t, values[0].Err, secrets.ErrUnavailable)
			if !errors.Is(values[0].Err, context.DeadlineExceeded) {
				t.Error(values[0].Err)
			}
		})
	}
}

func (s Subject) leaving(t *testing.T) {
	for name, m := range untilTheEnd() {
		t.Run(name, func(t *testing.T) {
			for _, names := range s.Fetches {
				ctx, cancel := context.WithCancel(t.Context())
				_, source := s.start(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
					if name == "before the answer" {
						cancel()
					}
					m(w, r, body)
				}, func(cfg *aws.Config) { cfg.HTTPClient = caller(cancel) })
				values, err := source.Fetch(ctx, Named(names...))
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range values {
					MustMean(t, v.Err, nil)
					if !errors.Is(v.Err, context.Canceled) || strings.Contains(v.Err.Error(), "hunter2") {
						t.Error(v.Err)
					}
				}
			}
		})
	}
}

func (s Subject) quota(t *testing.T) {
	_, source := s.start(t, Refuse(400, "ThrottlingException"), func(cfg *aws.Config) {
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = ratelimit.NewTokenRateLimit(0) })
		}
	})
	err := Fetch(t, source, Named("a")...)[0].Err
	MustMean(t, err, secrets.ErrUnavailable)
	var quota ratelimit.QuotaExceededError
	if !errors.As(err, &quota) {
		t.Error(err)
	}
}

// restrained is a retryer whose own rate limit lets nothing pass, as may happen in
// the adaptive mode.
type restrained struct{ aws.RetryerV2 }

func (restrained) GetAttemptToken(context.Context) (func(error) error, error) {
	return nil, errors.New("no attempt token")
}

func (s Subject) rateLimit(t *testing.T) {
	_, source := s.start(t, nil, func(cfg *aws.Config) {
		cfg.Retryer = func() aws.Retryer { return restrained{retry.NewStandard()} }
	})
	for _, names := range s.Fetches {
		for _, v := range Fetch(t, source, Named(names...)...) {
			MustMean(t, v.Err, secrets.ErrUnavailable)
		}
	}
}

func (s Subject) credentials(t *testing.T) {
	for name, tt := range map[string]struct{ err, want error }{
		"no network":        {&net.OpError{Op: "dial", Err: errors.New("no route")}, secrets.ErrUnavailable},
		"throttled by STS":  {&smithy.GenericAPIError{Code: "Throttling"}, secrets.ErrUnavailable},
		"the role is gone":  {&smithy.GenericAPIError{Code: "AccessDenied"}, secrets.ErrDenied},
		"fault of a server": {&smithy.GenericAPIError{Code: "New", Fault: smithy.FaultServer}, secrets.ErrUnavailable},
		"there are none":    {errors.New("no credentials"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, source := s.start(t, nil, func(cfg *aws.Config) {
				cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{}, tt.err
				})
			})
			MustMean(t, Fetch(t, source, Named("a")...)[0].Err, tt.want)
		})
	}
}
