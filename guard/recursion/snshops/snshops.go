package snshops

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/lambdarmor/lambdarmor/guard/recursion/internal/stamp"
)

// Carry is an option of a client: Publish and PublishBatch get the counter of
// their context as the message attribute lambdarmor.hops. Without a counter, see
// [github.com/lambdarmor/lambdarmor/guard/recursion.Hops], a message gets none.
//
// A message with ten attributes of its own makes the call fail, and nothing is sent, also
// not the other messages of a batch. SNS would take an eleventh, and discard the message
// for each queue with raw delivery.
//
// SNS delivers no attributes of a message whose structure is json. An SMS gets no
// counter.
//
// A message also gets the correlation id of the invocation, or else its request id, as
// the attribute correlationId, unless it has one of its own or ten attributes. Package
// outgoing finds it on the other side.
func Carry(o *sns.Options) { o.APIOptions = append(o.APIOptions, stamp.Calls(change)) }

func change(input any, s stamp.Stamps) (any, error) {
	switch in := input.(type) {
	case *sns.PublishInput:
		if in == nil || in.PhoneNumber != nil {
			return nil, nil
		}
		out := *in
		var err error
		out.MessageAttributes, err = stamp.Attributes(in.MessageAttributes, s, value)
		return &out, err
	case *sns.PublishBatchInput:
		if in == nil {
			return nil, nil
		}
		out := *in
		out.PublishBatchRequestEntries = slices.Clone(in.PublishBatchRequestEntries)
		for i := range out.PublishBatchRequestEntries {
			e := &out.PublishBatchRequestEntries[i]
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
