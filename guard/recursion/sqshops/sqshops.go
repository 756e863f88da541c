package sqshops

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard/recursion/internal/stamp"
)

// Carry is an option of a client: SendMessage and SendMessageBatch get the counter of
// their context as the message attribute lambdarmor.hops. Without a counter, see
// [github.com/lambdarmor/lambdarmor/guard/recursion.Hops], a message gets none.
//
// A message has at most ten attributes. If it has ten of its own, the call fails and
// sends nothing, also not the other messages of a batch: without its counter the message
// could go round for ever.
//
// A message also gets the correlation id of the invocation, or else its request id, as
// the attribute correlationId, unless it has one of its own or ten attributes. Package
// outgoing finds it on the other side.
func Carry(o *sqs.Options) { o.APIOptions = append(o.APIOptions, stamp.Calls(change)) }

func change(input any, s stamp.Stamps) (any, error) {
	switch in := input.(type) {
	case *sqs.SendMessageInput:
		if in == nil {
			return nil, nil
		}
		out := *in
		var err error
		out.MessageAttributes, err = stamp.Attributes(in.MessageAttributes, s, value)
		return &out, err
	case *sqs.SendMessageBatchInput:
		if in == nil {
			return nil, nil
		}
		out := *in
		out.Entries = slices.Clone(in.Entries)
		for i := range out.Entries {
			e := &out.Entries[i]
			var err error
			if e.MessageAttributes, err = stamp.Attributes(e.MessageAttributes, s, value); err != nil {
				return nil, err
			}
		}
		return &out, nil
	default:
		return nil, nil
	}
}

func value(dataType, text string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &dataType, StringValue: &text}
}
