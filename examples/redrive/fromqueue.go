package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// deadQueue is a dead-letter queue. A message that is taken is invisible to others
// for a while. Messages are taken one by one: none waits while another runs, and
// those of a group of a FIFO queue stay in order.
type deadQueue struct {
	client  *sqs.Client
	url     string
	forms   *forms
	visible time.Duration // after it was taken

	held  map[string]string // message id → receipt handle
	again int               // how often one of them came again
}

func (q *deadQueue) next(ctx context.Context) (*entry, error) {
	for {
		out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: 1, VisibilityTimeout: seconds(q.visible),
			WaitTimeSeconds:       1, // asks all servers of a queue: without a wait there can be more than nothing
			MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return nil, err
		}
		if len(out.Messages) == 0 {
			return nil, nil
		}
		m := out.Messages[0]
		id := aws.ToString(m.MessageId)
		_, had := q.held[id]
		q.held[id] = *m.ReceiptHandle
		if !had {
			sent, _ := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
			return q.entry(id, m, ours(time.UnixMilli(sent), out.ResultMetadata))
		}
		if q.again++; q.again > len(q.held) {
			return nil, nil // the rest is what this run has had
		}
	}
}

func (q *deadQueue) entry(id string, m types.Message, since time.Time) (*entry, error) {
	copied, err := json.Marshal(saved(m))
	if err != nil {
		return nil, err
	}
	return &entry{
		id: id, version: id, since: since, saved: copied,
		read: func(ctx context.Context) (replay, error) { return q.forms.ofMessage(ctx, m) },
		remove: func(ctx context.Context) error {
			_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
			if err == nil {
				delete(q.held, id)
			}
			return err
		},
	}, nil
}

func (q *deadQueue) release(ctx context.Context) error {
	var failed error
	for _, id := range slices.Sorted(maps.Keys(q.held)) {
		handle := q.held[id]
		_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.url, ReceiptHandle: &handle})
		if err != nil {
			failed = fmt.Errorf("message %s is not visible for up to %v: %w", id, q.visible, err)
		}
	}
	return failed
}

func seconds(d time.Duration) int32 { return int32(max(1, d/time.Second)) }

// saved returns a message as it is saved, and read again with -from: as an event has
// it.
func saved(m types.Message) events.SQSMessage {
	s := events.SQSMessage{
		MessageId: aws.ToString(m.MessageId), Body: aws.ToString(m.Body), Attributes: m.Attributes,
		MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	for name, a := range m.MessageAttributes {
		s.MessageAttributes[name] = events.SQSMessageAttribute{DataType: aws.ToString(a.DataType), StringValue: a.StringValue, BinaryValue: a.BinaryValue}
	}
	return s
}

// messageOf is the way back.
func messageOf(s events.SQSMessage) types.Message {
	return types.Message{MessageId: &s.MessageId, Body: &s.Body, Attributes: s.Attributes, MessageAttributes: sent(s.MessageAttributes)}
}

// sent returns attributes as they are sent.
func sent(attributes map[string]events.SQSMessageAttribute) map[string]types.MessageAttributeValue {
	all := map[string]types.MessageAttributeValue{}
	for name, a := range attributes {
		v := types.MessageAttributeValue{DataType: &a.DataType}
		if strings.HasPrefix(a.DataType, "Binary") {
			v.BinaryValue = a.BinaryValue
		} else {
			v.StringValue = a.StringValue
		}
		all[name] = v
	}
	return all
}
