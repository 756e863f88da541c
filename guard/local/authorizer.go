package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// authorizerOptions are the options of the authorizer.
type authorizerOptions struct {
	target   string // none when empty
	identity string
	ttl      time.Duration
	format   string
}

// Formats of an authorizer's events and answers.
const (
	simpleFormat = "simple"
	policyFormat = "policy"
	oldFormat    = "1.0"
)

func (a *authorizerOptions) define(flags *flag.FlagSet) {
	flags.StringVar(&a.target, "authorizer", "", "a `package` or bootstrap that decides which requests reach the function")
	flags.StringVar(&a.identity, "identity", "", "the authorizer's identity `sources`, comma-separated: '$request.header.Authorization,$context.routeKey'")
	flags.DurationVar(&a.ttl, "ttl", 0, "how long the authorizer's answers are kept by the identity sources, up to 1h (default not at all)")
	flags.StringVar(&a.format, "authorizer-format", simpleFormat, "the authorizer's `format`: simple or policy of 2.0, or 1.0")
}

func (a *authorizerOptions) check(flags *flag.FlagSet) error {
	if a.target == "" {
		var err error
		flags.Visit(func(f *flag.Flag) {
			if slices.Contains([]string{"identity", "ttl", "authorizer-format"}, f.Name) {
				err = fmt.Errorf("-%s needs -authorizer", f.Name)
			}
		})
		return err
	}
	if !slices.Contains([]string{simpleFormat, policyFormat, oldFormat}, a.format) {
		return fmt.Errorf("-authorizer-format %q is none of simple, policy and 1.0", a.format)
	}
	if a.ttl != 0 && a.identity == "" {
		return errors.New("-ttl needs -identity: answers are kept by the identity sources")
	}
	return nil
}

// before returns the authorizer for the API; nil without -authorizer.
func (a *authorizerOptions) before(fn guardtest.Invoker, failed func(string, error)) *gateway.Authorizer {
	if a.target == "" {
		return nil
	}
	authorizer := &gateway.Authorizer{
		Function:        fn,
		TTL:             a.ttl,
		SimpleResponses: a.format == simpleFormat,
		Failed:          failed,
	}
	if a.identity != "" {
		for source := range strings.SplitSeq(a.identity, ",") {
			authorizer.IdentitySources = append(authorizer.IdentitySources, strings.TrimSpace(source))
		}
	}
	if a.format == oldFormat {
		authorizer.Format = oldFormat
	}
	return authorizer
}

// keepsByRoute reports whether answers are kept by route.
func (a *authorizerOptions) keepsByRoute() bool {
	return a.ttl > 0 && strings.Contains(a.identity, "$context.routeKey")
}

// config describes the authorizer: one process, so that its memory is there for every
// request, and API Gateway's timeout.
func (a *authorizerOptions) config(o *options, t target, log io.Writer) guardtest.Config {
	cfg := o.config(t, log)
	cfg.Timeout, cfg.Concurrency, cfg.Instances = 10*time.Second, 1, 1
	return cfg
}

// String describes the authorizer on the console.
func (a *authorizerOptions) String() string {
	identity := a.identity
	if identity == "" {
		identity = "no identity sources"
	}
	return fmt.Sprintf("%s, format %s, TTL %s", identity, a.format, a.ttl)
}

// headers are the ones that a request needs, for a command line.
func (a *authorizerOptions) headers() string {
	var text strings.Builder
	for source := range strings.SplitSeq(a.identity, ",") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(source), "$request.header."); ok {
			fmt.Fprintf(&text, " -H '%s: ...'", name)
		}
	}
	return text.String()
}
