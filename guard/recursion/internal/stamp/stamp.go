// Package stamp puts hop counters and correlation ids into the requests of AWS clients.
package stamp

import (
	"context"
	"maps"
	"strconv"

	"github.com/aws/smithy-go/middleware"

	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Stamps are what a message gets. A zero one is left out.
type Stamps struct {
	Hops        int
	Correlation string
}

// Calls returns an API option that replaces the input of a call with stamps in its
// context. change returns another input, and leaves the caller's as it is. It returns
// nil for an input that it does not know.
func Calls(change func(input any, s Stamps) (any, error)) func(*middleware.Stack) error {
	const id = "lambdarmor.hops"
	return func(stack *middleware.Stack) error {
		if _, ok := stack.Initialize.Get(id); ok { // the option is there twice
			return nil
		}
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc(id, func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (out middleware.InitializeOutput, m middleware.Metadata, err error) {
			if s := (Stamps{recursion.Hops(ctx), invocation.Correlation(ctx)}); s != (Stamps{}) {
				changed, err := change(in.Parameters, s)
				if err != nil {
					return out, m, err
				}
				if changed != nil {
					in.Parameters = changed
				}
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	}
}

// mostAttributes is how many attributes a message of SQS has. SNS takes more, and then
// discards the message for a queue with raw delivery.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
const mostAttributes = 10

var errNoRoom = reason.New("recursion: the message has ten attributes of its own, so there is no room for the hop counter")

// Attributes returns a copy of the attributes of a message, with the stamps. An id that
// the sender has set stays, and one for which there is no room is left out.
func Attributes[V any](own map[string]V, s Stamps, value func(dataType, text string) V) (map[string]V, error) {
	all := make(map[string]V, len(own)+2)
	maps.Copy(all, own)
	if s.Hops > 0 {
		all[recursion.Attribute] = value("Number", strconv.Itoa(s.Hops))
		if len(all) > mostAttributes {
			return nil, errNoRoom
		}
	}
	if _, ok := all[invocation.CorrelationAttribute]; !ok && s.Correlation != "" && len(all) < mostAttributes {
		all[invocation.CorrelationAttribute] = value("String", s.Correlation)
	}
	return all, nil
}
