package awsparams_test

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
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
)

var meanings = []error{secrets.ErrNotFound, secrets.ErrDenied, secrets.ErrUndecryptable, secrets.ErrUnavailable}

// mustMean checks that an error means one thing, nil for none of them.
func mustMean(t *testing.T, err, want error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, meaning := range meanings {
		if errors.Is(err, meaning) != (meaning == want) {
			t.Errorf("%v: is it %q?", err, meaning)
		}
	}
	var network net.Error
	if want != secrets.ErrUnavailable && errors.As(err, &network) {
		t.Errorf("%v passes for one of the network", err)
	}
}

func TestWhatErrorsMean(t *testing.T) {
	tests := []struct {
		status int
		code   string
		want   error
	}{
		{400, "ParameterNotFound", secrets.ErrNotFound},
		{400, "ParameterVersionNotFound", secrets.ErrNotFound},
		{400, "ResourceNotFoundException", secrets.ErrNotFound},
		{400, "AccessDeniedException", secrets.ErrDenied},
		{400, "UnrecognizedClientException", secrets.ErrDenied},
		{400, "ExpiredTokenException", secrets.ErrDenied},
		{403, "SomethingNew", secrets.ErrDenied},
		{400, "KMSAccessDeniedException", secrets.ErrDenied},
		{400, "InvalidKeyId", secrets.ErrUndecryptable},
		{400, "DisabledException", secrets.ErrUndecryptable},
		{400, "KMSInvalidStateException", secrets.ErrUndecryptable},
		{400, "ThrottlingException", secrets.ErrUnavailable}, // though it is a 400
		{400, "Throttling", secrets.ErrUnavailable},
		{400, "RequestLimitExceeded", secrets.ErrUnavailable},
		{400, "TooManyRequestsException", secrets.ErrUnavailable},
		{400, "RequestTimeout", secrets.ErrUnavailable},
		{429, "SomethingNew", secrets.ErrUnavailable},
		{400, "KMSThrottlingException", secrets.ErrUnavailable},
		{500, "InternalServerError", secrets.ErrUnavailable},
		{500, "SomethingNew", secrets.ErrUnavailable},
		{503, "ServiceUnavailable", secrets.ErrUnavailable},
		{400, "InvalidParameters", nil},
		{400, "ValidationException", nil},
		{400, "SomethingNew", nil},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, " ", tt.code), func(t *testing.T) {
			p, source := stub(t)
			p.meet("GetParameters", refuse(tt.status, tt.code))
			p.meet("GetParametersByPath", refuse(tt.status, tt.code))
			for _, name := range []string{"/payments/api-key", "/payments/"} {
				err := fetch(t, source, named(name)...)[0].Err
				mustMean(t, err, tt.want)
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != tt.code {
					t.Errorf("%v does not have its cause", err)
				}
				if !strings.HasPrefix(err.Error(), fmt.Sprintf("awsparams: %q: ", name)) {
					t.Errorf("%v does not name the parameter", err)
				}
			}
		})
	}
}

func TestWithoutAnAnswerItIsUnavailable(t *testing.T) {
	for name, m := range map[string]mishap{
		"dropped":       drop,
		"cut":           cut(`{"Parameters":[{"Name":"a","Value":"hunter2`),
		"not JSON":      func(w http.ResponseWriter, _ *http.Request, _ []byte) { fmt.Fprint(w, "hunter2") },
		"another shape": answer(map[string]any{"Parameters": map[string]string{"hunter2": "hunter2"}}),
		"a gateway's": func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			http.Error(w, "<h1>bad gateway</h1>", http.StatusBadGateway)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, source := stub(t)
			p.meet("GetParameters", m)
			p.meet("GetParametersByPath", m)
			for _, names := range [][]string{{"/a"}, {"/a", "/b/"}} {
				for _, v := range fetch(t, source, named(names...)...) {
					mustMean(t, v.Err, secrets.ErrUnavailable)
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
		p, source := stub(t)
		p.Close()
		mustMean(t, fetch(t, source, named("a")...)[0].Err, secrets.ErrUnavailable)
	})
	t.Run("no value in the answer", func(t *testing.T) {
		p, source := stub(t)
		p.meet("GetParameters", answer(map[string]any{"Parameters": []map[string]string{{"Name": "a"}}}))
		mustMean(t, fetch(t, source, named("a")...)[0].Err, nil)
	})
}

// begun is an answer that goes no further.
func begun(w http.ResponseWriter, r *http.Request, body []byte) {
	_, _ = io.WriteString(w, `{"hunter2": `)
	_ = http.NewResponseController(w).Flush()
	hang(w, r, body)
}

func TestADeadlineIsUnavailable(t *testing.T) {
	for name, m := range map[string]mishap{"before the answer": hang, "within it": begun} {
		t.Run(name, func(t *testing.T) {
			p, source := stub(t)
			p.meet("GetParameters", m)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			values, err := source.Fetch(ctx, named("a"))
			if err != nil {
				t.Fatal(err)
			}
			mustMean(t, values[0].Err, secrets.ErrUnavailable)
			if !errors.Is(values[0].Err, context.DeadlineExceeded) {
				t.Error(values[0].Err)
			}
		})
	}
}

func TestACallerThatLeavesIsNoAnswer(t *testing.T) {
	for name, m := range map[string]mishap{"before the answer": hang, "within it": begun} {
		t.Run(name, func(t *testing.T) {
			p, _ := stub(t)
			for _, names := range [][]string{{"/a"}, {"/a", "/b/"}} {
				ctx, cancel := context.WithCancel(t.Context())
				p.meet("GetParameters", leaving(m, name == "before the answer", cancel))
				p.meet("GetParametersByPath", leaving(m, name == "before the answer", cancel))
				client := ssm.New(connect(p.URL).Options(), func(o *ssm.Options) { o.HTTPClient = reading(cancel) })
				values, err := awsparams.New(client).Fetch(ctx, named(names...))
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range values {
					mustMean(t, v.Err, nil)
					if !errors.Is(v.Err, context.Canceled) || strings.Contains(v.Err.Error(), "hunter2") {
						t.Error(v.Err)
					}
				}
			}
		})
	}
}

// leaving has the caller leave when the request arrives.
func leaving(m mishap, leaves bool, cancel func()) mishap {
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		if leaves {
			cancel()
		}
		m(w, r, body)
	}
}

// reading has the caller leave when an answer is read.
type reading func()

func (cancel reading) Do(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Body = leavingBody{resp.Body, cancel}
	}
	return resp, err
}

type leavingBody struct {
	io.ReadCloser
	cancel func()
}

func (b leavingBody) Read(p []byte) (int, error) {
	b.cancel()
	return b.ReadCloser.Read(p)
}

func TestWithoutAQuotaOfRetriesItIsUnavailable(t *testing.T) {
	p, _ := stub(t)
	p.meet("GetParameters", refuse(400, "ThrottlingException"))
	client := ssm.New(connect(p.URL).Options(), func(o *ssm.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = ratelimit.NewTokenRateLimit(0) })
	})
	err := fetch(t, awsparams.New(client), named("a")...)[0].Err
	mustMean(t, err, secrets.ErrUnavailable)
	var quota ratelimit.QuotaExceededError
	if !errors.As(err, &quota) {
		t.Error(err)
	}
}

func TestCredentialsThatCannotBeFetched(t *testing.T) {
	for name, tt := range map[string]struct{ err, want error }{
		"no network":        {&net.OpError{Op: "dial", Err: errors.New("no route")}, secrets.ErrUnavailable},
		"throttled by STS":  {&smithy.GenericAPIError{Code: "Throttling"}, secrets.ErrUnavailable},
		"the role is gone":  {&smithy.GenericAPIError{Code: "AccessDenied"}, secrets.ErrDenied},
		"fault of a server": {&smithy.GenericAPIError{Code: "New", Fault: smithy.FaultServer}, secrets.ErrUnavailable},
		"there are none":    {errors.New("no credentials"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := stub(t)
			client := connect(p.URL)
			source := awsparams.New(ssm.New(client.Options(), func(o *ssm.Options) {
				o.Credentials = noCredentials{tt.err}
			}))
			mustMean(t, fetch(t, source, named("a")...)[0].Err, tt.want)
		})
	}
}

type noCredentials struct{ err error }

func (c noCredentials) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, c.err
}
