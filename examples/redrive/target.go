package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/lambdarmor/lambdarmor/guard"
)

// target is what runs something again. It returns an error if that has not
// succeeded, and errBroken if nothing else would succeed either. A letter that is
// tried again has the same version.
type target interface {
	run(ctx context.Context, version string, r replay) error
}

// errBroken ends a run.
const errBroken = guard.Reason("the run ends")

func broken(err error) error { return fmt.Errorf("%w: %w", errBroken, err) }

// function invokes a function, and waits for its answer.
type function struct {
	client *lambda.Client
	name   string
}

func (f *function) run(ctx context.Context, _ string, r replay) error {
	if r.message != nil && r.message.EventSourceARN == "" {
		return errors.New("the queue that the message is from is not known: send it there with -to")
	}
	out, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: r.event})
	var tooLarge *lambdatypes.RequestTooLargeException
	var malformed *lambdatypes.InvalidRequestContentException
	switch {
	case errors.As(err, &tooLarge), errors.As(err, &malformed):
		return err
	case err != nil:
		return broken(err)
	case out.FunctionError != nil:
		return errors.New("the function has failed: its log says why")
	case r.partial:
		return accepted(out.Payload)
	}
	return nil
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

func (q *queue) run(ctx context.Context, version string, r replay) error {
	if r.message == nil {
		return errors.New("it came from no queue: run it again with -function")
	}
	in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &r.message.Body, MessageAttributes: sent(r.message.MessageAttributes)}
	group := r.message.Attributes["MessageGroupId"]
	if group != "" {
		in.MessageGroupId = &group // a standard queue has groups, too, for fairness
	}
	if strings.HasSuffix(q.url, ".fifo") {
		if group == "" {
			return errors.New("the message has no group, and the queue is a FIFO queue")
		}
		sum := sha256.Sum256([]byte(version))
		once := "redrive-" + hex.EncodeToString(sum[:])
		in.MessageDeduplicationId = &once
	}
	_, err := q.client.SendMessage(ctx, in)
	switch {
	case err == nil:
		return nil
	case isRefused(err):
		return err
	default:
		return broken(err)
	}
}

// isRefused reports whether a queue takes this message alone not.
func isRefused(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (strings.HasPrefix(api.ErrorCode(), "InvalidParameterValue") || api.ErrorCode() == "InvalidMessageContents")
}
