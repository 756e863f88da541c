// Package metadata returns the availability zone in which a function or an extension
// runs, from Lambda's metadata endpoint.
//
//	var zones = metadata.New()
//
//	func main() {
//		guard.Start(guard.Func(placeOrder), guard.Default(log), zones.Layer()) // records have availabilityZoneId
//	}
//
//	func placeOrder(ctx context.Context, in Order) (Receipt, error) {
//		zone, err := zones.AvailabilityZoneID(ctx) // "use1-az1"
//		…
//	}
//
// An ID is the same place for all accounts. The names of zones, like "us-east-1a", are
// not: to get the name for an ID, ask EC2's DescribeAvailabilityZones.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-metadata-endpoint.html
package metadata

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
	"github.com/lambdarmor/lambdarmor/internal/lambdaapi"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Client asks the endpoint, and keeps the answer as long as Lambda allows: for 12
// hours, and less before a snapshot. It is safe for concurrent use. One request at a
// time is under way. After a failure the error is returned again for a second, and
// after more in a row for up to a minute.
type Client struct {
	now clock.Clock

	turn chan struct{} // holds a value while a request is under way

	mu        sync.Mutex
	zone      string // "" if it is not known
	at, until time.Time
	failures  flight.Failures
	forgotten int // how often; an answer from before is not kept
}

// New returns a client. It asks nothing yet.
func New() *Client { return &Client{turn: make(chan struct{}, 1)} }

const (
	timeout = time.Second // of a call; the endpoint is in the environment

	// documentedAge is for an answer that says nothing of its age.
	documentedAge = 12 * time.Hour

	path = "/2026-01-15/metadata/execution-environment"

	errNoToken = guard.Reason("AWS_LAMBDA_METADATA_TOKEN is not set")
	errNoZone  = guard.Reason("the answer has no AvailabilityZoneID")
)

// AvailabilityZoneID returns the ID of the zone, like "use1-az1". It takes a second
// at most, or returns the error of ctx when that ends earlier. Outside of Lambda there
// is no endpoint, which is an error too.
func (c *Client) AvailabilityZoneID(ctx context.Context) (string, error) {
	if zone, err, ok := c.kept(); ok {
		return zone, err
	}
	limited, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-limited.Done():
		return "", wrapped(context.Cause(limited))
	}
	zone, err, ok := c.kept() // by the one before
	if !ok {
		zone, err = c.fetch(ctx, limited)
	}
	return zone, err
}

// Forget makes the next call ask again. It is a hook for [guard.OnRestore], which
// [Client.Layer] has already: a snapshot may be restored in another zone.
func (c *Client) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten++
	c.zone, c.failures = "", flight.Failures{}
}

// kept returns what is known. ok is false if it is time to ask.
func (c *Client) kept() (zone string, err error, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now.Now()
	switch {
	case c.zone != "" && clock.Within(now, c.at, c.until):
		return c.zone, nil, true
	case c.failures.Hold(now):
		return "", c.failures.Err, true
	default:
		return "", nil, false
	}
}

// fetch asks within limited. It keeps no failure of a caller that leaves, whose ctx ends.
func (c *Client) fetch(ctx, limited context.Context) (string, error) {
	c.mu.Lock()
	before := c.forgotten
	c.mu.Unlock()
	zone, age, err := ask(limited)
	if err != nil {
		err = wrapped(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now.Now()
	switch {
	case c.forgotten != before || err != nil && ctx.Err() != nil:
	case err != nil:
		c.failures = c.failures.And(err, now, flight.Backoff{First: time.Second, Longest: time.Minute})
	default:
		c.zone, c.at, c.until, c.failures = zone, now, now.Add(age), flight.Failures{}
	}
	return zone, err
}

func wrapped(err error) error {
	return fmt.Errorf("%w: %w", guard.Reason("metadata: availability zone"), err)
}

func ask(ctx context.Context) (zone string, age time.Duration, err error) {
	api, err := lambdaapi.New("AWS_LAMBDA_METADATA_API")
	if err != nil {
		return "", 0, err
	}
	token := os.Getenv("AWS_LAMBDA_METADATA_TOKEN")
	if token == "" {
		return "", 0, errNoToken
	}
	header, answer, err := api.Do(ctx, http.MethodGet, path, http.Header{"Authorization": {"Bearer " + token}}, nil)
	if err != nil {
		return "", 0, err
	}
	var environment struct {
		AvailabilityZoneID string
	}
	if err := strictjson.Unmarshal(answer, &environment, strictjson.Options{}); err != nil {
		return "", 0, fmt.Errorf("%w: %w", guard.Reason("the answer is malformed"), err)
	}
	if environment.AvailabilityZoneID == "" {
		return "", 0, errNoZone
	}
	return environment.AvailabilityZoneID, maxAge(header.Get("Cache-Control")), nil
}

// maxAge reads a Cache-Control like "private, max-age=43200, immutable".
func maxAge(cacheControl string) time.Duration {
	for directive := range strings.SplitSeq(cacheControl, ",") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(directive), "max-age="); ok {
			if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
				return min(time.Duration(seconds)*time.Second, documentedAge)
			}
		}
	}
	return documentedAge
}
