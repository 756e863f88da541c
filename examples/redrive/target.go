package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// target is what runs something again. It returns an error if that has not
// succeeded, and a *brokenError if nothing else would succeed either.
type target interface {
	run(ctx context.Context, id string, r replay) error
}

// brokenError ends a run.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// function invokes a function, and waits for its answer.
type function struct {
	client *lambda.Client
	name   string
}

func (f *function) run(ctx context.Context, _ string, r replay) error {
	if r.message != nil && r.message.EventSourceARN == "" {
		return errors.New("the queue that the message is from is not known: name its ARN with -source")
	}
	out, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: r.event})
	var tooLarge *lambdatypes.RequestTooLargeException
	var malformed *lambdatypes.InvalidRequestContentException
	switch {
	case errors.As(err, &tooLarge), errors.As(err, &malformed):
		return err
	case err != nil:
		return &brokenError{err}
	case out.FunctionError != nil:
		return fmt.Errorf("the function has failed: %s", errorType(out.Payload))
	case r.partial:
		return accepted(out.Payload)
	}
	return nil
}

// errorType returns the type of a function's error. Its message may have what is in
// the event.
func errorType(payload []byte) string {
	var failure struct {
		ErrorType string `json:"errorType"`
	}
	if json.Unmarshal(payload, &failure) != nil || failure.ErrorType == "" {
		return "unknown"
	}
	return failure.ErrorType
}

// accepted reads the answer to an event with one record: nothing, null, or an object
// without failures, is success. Lambda takes what it cannot read as a failure.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func accepted(answer []byte) error {
	if answer = bytes.TrimSpace(answer); len(answer) == 0 {
		return nil
	}
	var list struct {
		Failures []json.RawMessage `json:"batchItemFailures"`
	}
	switch {
	case json.Unmarshal(answer, &list) != nil:
		return errors.New("the answer of the function is not that of a batch")
	case len(list.Failures) > 0:
		return errors.New("the function has reported it as failed")
	}
	return nil
}

// queue sends messages to a queue, as they were.
type queue struct {
	client *sqs.Client
	url    string
}

func (q *queue) run(ctx context.Context, id string, r replay) error {
	if r.message == nil {
		return errors.New("it came from no queue: run it again with -function")
	}
	in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &r.message.Body, MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, a := range r.message.MessageAttributes {
		in.MessageAttributes[name] = sent(a)
	}
	if strings.HasSuffix(q.url, ".fifo") {
		group, once := r.message.Attributes["MessageGroupId"], "redrive-"+id
		if group == "" {
			return errors.New("the message has no group, and the queue is a FIFO queue")
		}
		in.MessageGroupId, in.MessageDeduplicationId = &group, &once
	}
	_, err := q.client.SendMessage(ctx, in)
	var invalid *types.InvalidMessageContents
	if err != nil && !errors.As(err, &invalid) {
		return &brokenError{err}
	}
	return err
}

func sent(a events.SQSMessageAttribute) types.MessageAttributeValue {
	v := types.MessageAttributeValue{DataType: &a.DataType}
	if strings.HasPrefix(a.DataType, "Binary") {
		v.BinaryValue = a.BinaryValue
	} else {
		v.StringValue = a.StringValue
	}
	return v
}
