package awstest

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Config returns the configuration of a real client for the server at a URL. It
// retries twice, without a wait.
func Config(url string) aws.Config {
	return aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
}

// do is an HTTP client.
type do func(*http.Request) (*http.Response, error)

func (d do) Do(r *http.Request) (*http.Response, error) { return d(r) }

// caller is an HTTP client that calls a function while an answer is read.
type caller func()

// Do sends a copy of the body. The SDK closes its own when the header of an answer
// is there; if the transport has not read its end by then, it drops the
// connection.
func (reads caller) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Body = readBody{resp.Body, reads}
	}
	return resp, err
}

type readBody struct {
	io.ReadCloser
	reads func()
}

func (b readBody) Read(p []byte) (int, error) {
	b.reads()
	return b.ReadCloser.Read(p)
}
