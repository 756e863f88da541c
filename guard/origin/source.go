package origin

import (
	"context"
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
	valid := func(pattern string) bool {
		parts := strings.SplitN(pattern, ":", 6)
		return len(parts) == 6 && parts[0] == "arn" && parts[1] != "" && parts[5] != "" &&
			madeOf(parts[2], letters+digits+"-") && !strings.Contains(pattern, "?") &&
			!strings.Contains(strings.TrimSuffix(pattern, "**"), "**") && !strings.HasSuffix(pattern, "***")
	}
	if len(patterns) == 0 {
		panic("origin: Source without a pattern")
	}
	for _, p := range patterns {
		if !valid(p) {
			panic("origin: Source: malformed pattern " + strconv.Quote(p))
		}
	}
	patterns = slices.Clone(patterns)
	return Rule{judge: func(_ context.Context, o *origin) error {
		return all("Source", o.arns, func(arn string) bool {
			return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, arn) })
		})
	}}
}

// matches reports whether text matches a pattern. After a mismatch only the last
// wildcard takes one character more, so the time is linear in text.
func matches(pattern, text string) bool {
	star, end := -1, 0 // where the last wildcard stands, and where in text it ends
	p, t := 0, 0
	for t < len(text) {
		switch {
		case pattern[p:] == "**":
			return true
		case p < len(pattern) && pattern[p] == '*':
			star, end = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0 && text[end] != ':' && text[end] != '/':
			end++
			p, t = star+1, end
		default:
			return false
		}
	}
	return pattern[p:] == "" || pattern[p:] == "*"
}
