package origin

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Source returns a rule that the event comes from one of the sources. A pattern is the
// ARN of a queue, stream, topic, bucket, broker, cluster, delivery stream, target group
// or Lattice service. Of an event of EventBridge, whose rule is not in it, the resources
// are judged. These are the rule's ARN for a schedule; in other events the producer has
// chosen them.
//
// In a pattern, * matches any characters but the separators ":" and "/", and ** at the
// end matches all the rest. That is narrower than a policy of IAM, where * crosses
// separators:
//
//	arn:aws:sqs:eu-central-1:123456789012:orders-*
//	arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/**
//	arn:aws:s3:::shop-invoices
//
// Source panics without a pattern, and for one that has not the six parts of an ARN,
// has a wildcard for the service, ** elsewhere, or a question mark.
func Source(patterns ...string) Rule {
	if len(patterns) == 0 {
		panic("origin: Source without a pattern")
	}
	expressions := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		if expressions[i] = expression(p); expressions[i] == nil {
			panic("origin: Source: malformed pattern " + strconv.Quote(p))
		}
	}
	return Rule{judge: func(_ context.Context, o *origin) error {
		return all("Source", o.arns, func(arn string) bool {
			return slices.ContainsFunc(expressions, func(e *regexp.Regexp) bool { return e.MatchString(arn) })
		})
	}}
}

// expression returns the regular expression of a pattern, nil if it is malformed.
func expression(pattern string) *regexp.Regexp {
	arn := regexp.MustCompile(`^arn:[^:]+:[A-Za-z0-9-]+:[^:]*:[^:]*:.`)
	if !arn.MatchString(pattern) || strings.Contains(pattern, "?") || strings.Contains(strings.TrimSuffix(pattern, "*"), "**") {
		return nil
	}
	text := regexp.QuoteMeta(pattern)
	if rest, all := strings.CutSuffix(text, `\*\*`); all {
		text = rest + ".+"
	}
	e, err := regexp.Compile(`(?s)^` + strings.ReplaceAll(text, `\*`, `[^:/]*`) + `$`)
	if err != nil { // not UTF-8
		return nil
	}
	return e
}
