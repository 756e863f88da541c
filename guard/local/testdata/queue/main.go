// Command queue is a function whose messages say what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() { lambda.Start(handle) }

func handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, r := range event.Records {
		fmt.Println("message", r.Body, "attempt", r.Attributes["ApproximateReceiveCount"], "group", r.Attributes["MessageGroupId"])
		do, what, _ := strings.Cut(r.Body, " ")
		var err error
		switch do {
		case "fail":
			err = errors.New("it says so")
		case "break":
			return answer, errors.New("it says so")
		case "exit":
			os.Exit(7)
		case "await":
			for {
				if _, err := os.Stat(what); err == nil {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
		case "again":
			if r.Attributes["ApproximateReceiveCount"] == "1" {
				err = showAgain(ctx, r)
			}
		}
		if err != nil {
			fmt.Println("failed:", err)
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
		}
	}
	return answer, nil
}

// showAgain fails with the message visible at once.
func showAgain(ctx context.Context, r events.SQSMessage) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := sqs.NewFromConfig(cfg)
	arn := strings.Split(r.EventSourceARN, ":")
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &arn[5]})
	if err != nil {
		return err
	}
	if _, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: found.QueueUrl, ReceiptHandle: &r.ReceiptHandle}); err != nil {
		return err
	}
	return errors.New("shown again")
}
