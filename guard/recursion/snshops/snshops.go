package snshops

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/lambdarmor/lambdarmor/guard/recursion/internal/stamp"
)

// Carry is an option of a client: Publish and PublishBatch get the counter of
// their context as the message attribute lambdarmor.hops. Without a counter, see
// [github.com/lambdarmor/lambdarmor/guard/recursion.Hops], a message is sent as it is.
//
// A message with ten attributes of its own makes the call fail, and nothing is sent, also
// not the other messages of a batch. SNS would take an eleventh, and discard the message
// for each queue with raw delivery.
//
// SNS delivers no attributes of a message whose structure is json. An SMS gets no
// counter.
func Carry(o *sns.Options) { o.APIOptions = append(o.APIOptions, stamp.Calls(change)) }

func change(input any, hops int) (any, error) {
	switch in := input.(type) {
	case *sns.PublishInput:
		if in == nil || in.PhoneNumber != nil {
			return nil, nil
		}
		out := *in
		var err error
		out.MessageAttributes, err = stamp.Attributes(in.MessageAttributes, hops, value)
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
			if e.MessageAttributes, err = stamp.Attributes(e.MessageAttributes, hops, value); err != nil {
				return nil, err
			}
		}
		return &out, nil
	default:
		return nil, nil
	}
}

func value(number string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: &number}
}
