package origin

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Rule is a condition on where an invocation comes from. The functions of this
// package make rules.
type Rule struct {
	judge func(ctx context.Context, of *origin) error
	grant bool // it needs the grant of a layer of package authorizer
}

// Require refuses an invocation that breaks one of the rules. Each rule judges all
// that the event says about its subject, of every record. It also refuses an event
// that says nothing about it.
//
// A refusal is an error of kind Forbidden with code origin_refused. The rule's name
// is in error.cause of the log, and nowhere in the answer. An event that cannot be
// read is Invalid or TooLarge. A secret that cannot be read is the error of its cache.
//
// List Require after the layers that log and answer, and before idempotency.Once.
// With [TenantClaim], list it after the layer that authorizes.
//
// Require panics without a rule, and for a Rule that no function has made.
func Require(rules ...Rule) guard.Middleware { return require(time.Now, rules) }

func require(now func() time.Time, rules []Rule) guard.Middleware {
	if len(rules) == 0 {
		panic("origin: Require without a rule")
	}
	if slices.ContainsFunc(rules, func(r Rule) bool { return r.judge == nil }) {
		panic("origin: Require with an empty Rule; make one with Account, Source or another function")
	}
	rules = slices.Clone(rules)
	m := layer.Named("origin.Require", judging(now, rules))
	if slices.ContainsFunc(rules, func(r Rule) bool { return r.grant }) {
		return guard.Chain(m, layer.Named("origin.TenantClaim", func(next lambda.Handler) lambda.Handler { return next }))
	}
	return m
}

func judging(now func() time.Time, rules []Rule) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			of, err := read(ctx, guard.EventOf(ctx, payload), now())
			if err != nil {
				return nil, err
			}
			for _, r := range rules {
				if err := r.judge(ctx, of); err != nil {
					return nil, err
				}
			}
			return next.Invoke(ctx, payload)
		})
	}
}

// refused returns the error of a rule. Its cause is made of constants alone: what the
// event says may be a forger's.
func refused(rule, why string) error {
	return &guard.Error{
		Kind: guard.Forbidden, Code: "origin_refused", Detail: "Calls from there are not allowed.",
		Err: guard.Reason("origin: " + rule + ": " + why),
	}
}

const (
	notSaid = "the event does not have it"
	foreign = "the event has another one"
)

// all refuses unless there is a value, and every value is right.
func all(rule string, values []string, right func(string) bool) error {
	if len(values) == 0 || slices.Contains(values, "") {
		return refused(rule, notSaid)
	}
	for _, v := range values {
		if !right(v) {
			return refused(rule, foreign)
		}
	}
	return nil
}

// oneOf returns a rule that every value of the event is one of those in want, which
// have to be of a form, a regular expression.
func oneOf(rule string, want []string, form string, of func(*origin) []string) Rule {
	if len(want) == 0 {
		panic("origin: " + rule + " without a value")
	}
	valid := regexp.MustCompile(`^(` + form + `)$`)
	for _, w := range want {
		if !valid.MatchString(w) {
			panic("origin: " + rule + ": malformed value " + strconv.Quote(w))
		}
	}
	want = slices.Clone(want)
	return Rule{judge: func(_ context.Context, o *origin) error {
		return all(rule, of(o), func(v string) bool { return slices.Contains(want, v) })
	}}
}
