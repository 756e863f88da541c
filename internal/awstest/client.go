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

// Config is that of a real client for the server at a URL. It retries twice, at
// once.
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

// caller is an HTTP client that calls a function when an answer is read.
type caller func()

// Do gives the transport a body that nobody else closes. The SDK closes its own
// when the header of an answer is there, and where that is sooner than the
// transport has looked for the body's end, it gives up the connection.
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
