// Package stamp puts hop counters into the requests of AWS clients.
package stamp

import (
	"context"
	"maps"
	"strconv"

	"github.com/aws/smithy-go/middleware"

	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Calls returns an API option that replaces the input of a call with a counter in its
// context. change returns another input, and leaves the caller's as it is. It returns
// nil for an input that it does not know.
func Calls(change func(input any, hops int) (any, error)) func(*middleware.Stack) error {
	const id = "lambdarmor.hops"
	return func(stack *middleware.Stack) error {
		if _, ok := stack.Initialize.Get(id); ok { // the option is there twice
			return nil
		}
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc(id, func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (out middleware.InitializeOutput, m middleware.Metadata, err error) {
			if hops := recursion.Hops(ctx); hops > 0 {
				changed, err := change(in.Parameters, hops)
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

// Attributes returns a copy of the attributes of a message, with the counter.
func Attributes[V any](own map[string]V, hops int, value func(number string) V) (map[string]V, error) {
	all := make(map[string]V, len(own)+1)
	maps.Copy(all, own)
	all[recursion.Attribute] = value(strconv.Itoa(hops))
	if len(all) > mostAttributes {
		return nil, errNoRoom
	}
	return all, nil
}
