package sqspoll

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// Client is the used part of [sqs.Client].
type Client interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// New returns a poller of the queue at the URL, after it has asked for the queue's ARN
// and visibility timeout. The queue redrives by its own policy, which the poller's
// ledger does not see. New panics if the mapping cannot be.
//
// The role of the client needs sqs:ReceiveMessage, sqs:DeleteMessage,
// sqs:ChangeMessageVisibility and sqs:GetQueueAttributes. A receipt whose answer is lost
// when the poller is stopped ends with the visibility timeout.
func New(ctx context.Context, client Client, queueURL string, fn guardtest.Invoker, mapping queue.Mapping) (*queue.Poller, error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameQueueArn, types.QueueAttributeNameVisibilityTimeout}
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queueURL, AttributeNames: names})
	if err != nil {
		return nil, fmt.Errorf("sqspoll: %w", err)
	}
	arn := out.Attributes[string(types.QueueAttributeNameQueueArn)]
	visibility, err := strconv.Atoi(out.Attributes[string(types.QueueAttributeNameVisibilityTimeout)])
	if err != nil || arn == "" {
		return nil, errors.New("sqspoll: the queue does not say its ARN and visibility timeout")
	}
	of := queue.StoreConfig{ARN: arn, VisibilityTimeout: time.Duration(visibility) * time.Second}
	return queue.NewPoller(fn, &store{client, queueURL}, of, mapping), nil
}

type store struct {
	client Client
	url    string
}

// maxWait is the longest wait of a receipt.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
const maxWait = 20 * time.Second

func (s *store) Receive(ctx context.Context, most int, until time.Time) ([]queue.Received, error) {
	wait := maxWait
	if !until.IsZero() {
		wait = min(max(time.Until(until), 0), maxWait)
	}
	out, err := s.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &s.url,
		MaxNumberOfMessages:         int32(most),
		WaitTimeSeconds:             int32((wait + time.Second - 1) / time.Second), // whole seconds: 0 would not wait at all
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, fmt.Errorf("sqspoll: %w", err)
	}
	messages := make([]queue.Received, len(out.Messages))
	for i, m := range out.Messages {
		messages[i] = received(m)
	}
	return messages, nil
}

func received(m types.Message) queue.Received {
	r := queue.Received{
		ID:                     aws.ToString(m.MessageId),
		ReceiptHandle:          aws.ToString(m.ReceiptHandle),
		Body:                   aws.ToString(m.Body),
		Attributes:             m.Attributes,
		MessageAttributes:      map[string]source.Attribute{},
		MD5OfBody:              aws.ToString(m.MD5OfBody),
		MD5OfMessageAttributes: aws.ToString(m.MD5OfMessageAttributes),
	}
	for name, a := range m.MessageAttributes {
		r.MessageAttributes[name] = source.Attribute{DataType: aws.ToString(a.DataType), String: aws.ToString(a.StringValue), Binary: a.BinaryValue}
	}
	return r
}

// batchSize is the most entries of a batch request.
const batchSize = 10

func (s *store) Delete(ctx context.Context, messages []queue.Received) (kept []queue.Received, err error) {
	for begin := 0; begin < len(messages); begin += batchSize {
		part := messages[begin:min(begin+batchSize, len(messages))]
		var entries []types.DeleteMessageBatchRequestEntry
		for i, m := range part {
			entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &m.ReceiptHandle})
		}
		out, failure := s.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &s.url, Entries: entries})
		if failure != nil {
			kept, err = append(kept, part...), errors.Join(err, fmt.Errorf("sqspoll: %w", failure))
			continue
		}
		for _, f := range out.Failed {
			if i, failure := strconv.Atoi(aws.ToString(f.Id)); failure == nil && i >= 0 && i < len(part) {
				kept = append(kept, part[i])
			}
		}
	}
	return kept, err
}

// Release ends the visibility timeout. A message that fails it becomes visible when the
// timeout ends by itself.
func (s *store) Release(ctx context.Context, messages []queue.Received) error {
	var err error
	for begin := 0; begin < len(messages); begin += batchSize {
		var entries []types.ChangeMessageVisibilityBatchRequestEntry
		for i, m := range messages[begin:min(begin+batchSize, len(messages))] {
			entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &m.ReceiptHandle})
		}
		if _, failure := s.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &s.url, Entries: entries}); failure != nil {
			err = errors.Join(err, fmt.Errorf("sqspoll: %w", failure))
		}
	}
	return err
}
