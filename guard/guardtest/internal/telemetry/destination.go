package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// A destination takes a batch of records, or returns an error to get it again.
type destination interface {
	send(ctx context.Context, batch []record) error
	close()
}

// arrays are requests with JSON arrays, which a 2xx answer acknowledges.
type arrays struct {
	method, url, host string
	client            *http.Client
}

func newArrays(method string, to *url.URL) *arrays {
	local := *to
	local.Host = net.JoinHostPort("127.0.0.1", to.Port())
	return &arrays{
		method: method,
		url:    local.String(),
		host:   to.Host,
		client: &http.Client{
			Transport:     &http.Transport{},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (a *arrays) send(ctx context.Context, batch []record) error {
	var body bytes.Buffer
	for i, r := range batch {
		body.WriteByte("[,"[min(i, 1)])
		body.Write(r.json)
	}
	body.WriteByte(']')
	req, err := http.NewRequestWithContext(ctx, a.method, a.url, &body)
	if err != nil {
		return err
	}
	req.Host = a.host
	req.Header.Set("Content-Type", "application/json")
	res, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, mostBytes))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the listener answered %s", res.Status)
	}
	return nil
}

func (a *arrays) close() { a.client.CloseIdleConnections() }

// lines are lines of JSON on a connection, which nothing acknowledges: what a listener
// has not read when it ends is lost.
type lines struct {
	address string
	conn    net.Conn
}

func (l *lines) send(ctx context.Context, batch []record) error {
	if l.conn == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
		if err != nil {
			return err
		}
		l.conn = conn
	}
	conn := l.conn
	// A write to a listener that does not read waits; the end of ctx ends that.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	var text bytes.Buffer
	for _, r := range batch {
		text.Write(r.json)
		text.WriteByte('\n')
	}
	_, err := conn.Write(text.Bytes())
	if err != nil {
		_ = conn.Close()
		l.conn = nil
	}
	return err
}

func (l *lines) close() {
	if l.conn != nil {
		_ = l.conn.Close()
	}
}
