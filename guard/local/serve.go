package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

const (
	// patience is how long an invocation may wait for a process, besides its
	// timeout.
	patience = 30 * time.Second

	// shutdownGrace is for the requests under way at the end, answerGrace for a
	// client to take its answer once the function has ended, and for a queue to delete.
	shutdownGrace = 2 * time.Second
	answerGrace   = 10 * time.Second

	headerTimeout = 10 * time.Second
)

// api returns the HTTP API with the authorizer and the function. Without a console
// use it only to check the options.
func (o *options) api(f functions, console *console) (*gateway.HTTPAPI, error) {
	cfg := gateway.HTTPAPIConfig{
		Routes:     o.routes,
		Format:     o.format,
		Timeout:    o.timeout + patience,
		Authorizer: o.authorizer.before(f.authorizer, console.authorizerFailed),
		Failed:     console.failed,
	}
	return gateway.NewHTTPAPI(f.fn, cfg)
}

// serve returns when ctx has ended and nothing is under way any more.
func serve(ctx context.Context, f functions, opts options, stdout io.Writer, console *console) int {
	if len(opts.routes) == 0 {
		var err error
		if opts.routes, err = templateRoutes(f.fn.target.dir); err != nil {
			console.say("without the routes of the template: %v", err)
		}
	}
	api, err := opts.api(f, console)
	if err != nil {
		console.say("%v", err)
		return exitUsage
	}
	listener, err := net.Listen("tcp", opts.addr)
	if err != nil {
		console.say("%v", err)
		return exitFailed
	}
	if len(opts.routes) == 0 && opts.authorizer.keepsByRoute() {
		console.say("without routes, $context.routeKey is $default for every request: the authorizer's answers are kept for all routes")
	}
	var queue *desk
	if f.queue != nil {
		if queue, err = newDesk(ctx, f.fn, *f.queue, opts.queue.url(), console); err != nil {
			_ = listener.Close()
			if ctx.Err() != nil {
				return exitOK
			}
			console.say("%v", err)
			return exitFailed
		}
		queue.warn(opts.timeout)
	}
	var stream *streamDesk
	if f.stream != nil {
		if stream, err = newStreamDesk(f.fn, *f.stream, console); err != nil {
			_ = listener.Close()
			console.say("%v", err)
			return exitFailed
		}
	}
	if !f.warm(ctx, console) {
		_ = listener.Close()
		return exitOK
	}
	handler := stream.before(queue.before(api, opts.routes), len(opts.routes) > 0 || queue != nil)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	polled, read := queue.start(ctx, f.sqs), stream.start(ctx)
	announce(stdout, f.fn.target.name, "http://"+listener.Addr().String(), opts, queue, stream)

	select {
	case err := <-served:
		console.say("%v", err)
		return exitFailed
	case <-ctx.Done():
	}
	console.say("ending")
	grace, cancel := context.WithTimeout(context.Background(), opts.grace)
	defer cancel()
	err = server.Shutdown(grace)
	for _, ended := range []<-chan struct{}{polled, read} {
		select {
		case <-ended:
		case <-grace.Done():
			err = grace.Err()
		}
	}
	if err != nil {
		// Ending the functions answers the remaining requests and batches.
		f.close()
		last, cancel := context.WithTimeout(context.Background(), answerGrace)
		defer cancel()
		if err := server.Shutdown(last); err != nil {
			_ = server.Close()
		}
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		console.say("%v", err)
	}
	last, cancel := context.WithTimeout(context.Background(), answerGrace)
	defer cancel()
	select {
	case <-polled:
		queue.left()
	case <-last.Done(): // only of a real SQS API: the function has ended
		console.say("queue %s: it does not answer; what it has not deleted comes again", queue.name)
	}
	<-read
	stream.left()
	return exitOK
}

// failed logs why a request got no answer, and returns the gateway's status.
func (c *console) failed(requestID string, err error) int {
	c.say("invocation %s failed: %v", requestID, err)
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// authorizerFailed logs why a request was answered 500 before it reached the function.
func (c *console) authorizerFailed(requestID string, err error) {
	c.say("authorizer's invocation %s failed: %v", requestID, err)
}

func announce(stdout io.Writer, name, url string, opts options, queue *desk, stream *streamDesk) {
	routes := opts.routes
	if len(routes) == 0 && queue == nil && stream == nil {
		routes = []string{"$default"}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s on %s (timeout %s, memory %d MB, payload format %s)\n", name, url, opts.timeout, opts.memory, opts.format)
	for _, route := range routes {
		fmt.Fprintf(&text, "  %s\n", route)
	}
	if opts.authorizer.target != "" {
		fmt.Fprintf(&text, "behind an authorizer (%s)\n", &opts.authorizer)
	}
	text.WriteString(queue.describe() + stream.describe())
	if len(routes) > 0 {
		fmt.Fprintf(&text, "try: %s%s\n", curl(url, routes[0]), opts.authorizer.headers())
	}
	if queue != nil {
		fmt.Fprintf(&text, "try: %s\n", queue.curl(url))
	}
	if stream != nil {
		fmt.Fprintf(&text, "try: %s\n", stream.curl(url))
	}
	_, _ = io.WriteString(stdout, text.String())
}

// curl is a command that reaches the route.
func curl(url, route string) string {
	method, path, ok := strings.Cut(route, " ")
	if !ok {
		return "curl -i " + url + "/"
	}
	path = strings.NewReplacer("{", "", "+}", "", "}", "").Replace(path)
	switch method {
	case "GET", "ANY":
		return "curl -i " + url + path
	case "HEAD":
		return "curl -I " + url + path
	case "POST", "PUT", "PATCH":
		return fmt.Sprintf("curl -i -X %s %s%s -H 'Content-Type: application/json' -d '{}'", method, url, path)
	default:
		return fmt.Sprintf("curl -i -X %s %s%s", method, url, path)
	}
}
