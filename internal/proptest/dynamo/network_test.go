package dynamo_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// network is the HTTP client of one process, and does to single requests what
// networks do. It carries one request at a time.
type network struct {
	http       http.Client
	lose, lost int
	hold       func(*http.Request) // not nil while the next request is to be held
}

// client returns a DynamoDB client that sends through n, and tries again at once
// when an answer is lost.
func (n *network) client(t testing.TB, url string) *dynamodb.Client {
	transport := &http.Transport{}
	n.http.Transport = transport
	t.Cleanup(transport.CloseIdleConnections)
	return connect(url, hasty, func(o *dynamodb.Options) { o.HTTPClient = n })
}

// Lose implements [historytest.Network].
func (n *network) Lose(answers int) func() int {
	n.lose, n.lost = answers, 0
	return func() int {
		n.lose = 0
		return n.lost
	}
}

// Hold implements [historytest.Network].
func (n *network) Hold(caught func()) func() error {
	var held *http.Request
	n.hold = func(req *http.Request) { held = req; caught() }
	return func() error { return n.take(held) }
}

// Do implements [dynamodb.HTTPClient].
func (n *network) Do(req *http.Request) (*http.Response, error) {
	switch {
	case n.hold != nil:
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		late := req.Clone(context.WithoutCancel(req.Context()))
		late.Body = io.NopCloser(bytes.NewReader(body))
		n.hold(late)
		n.hold = nil
		<-req.Context().Done()
		return nil, req.Context().Err()
	case n.lose > 0:
		if err := n.take(req); err != nil {
			return nil, err
		}
		n.lose--
		n.lost++
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	default:
		return n.http.Do(req)
	}
}

// take has the server take a request, and its answer go nowhere.
func (n *network) take(req *http.Request) error {
	resp, err := n.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
