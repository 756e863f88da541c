package sqspoll_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue/sqspoll"
)

// A command that calls a function on this machine with the messages of a queue in AWS,
// until Ctrl-C. A batch under way finishes.
func ExampleNew() {
	_ = func(fn *guardtest.Function, queueURL string) error {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return err
		}
		poller, err := sqspoll.New(ctx, sqs.NewFromConfig(cfg), queueURL, fn, queue.Mapping{
			ReportBatchItemFailures: true,
			OnBatch: func(b source.BatchReport) {
				fmt.Printf("batch %d: %d messages, %d failed\n", b.Number, b.Messages, b.Failed)
			},
			OnError: func(err error) { fmt.Println("trying again:", err) },
		})
		if err != nil {
			return err
		}
		return poller.Run(ctx)
	}
}

// A test against a server that imitates SQS, which waits for the ledger.
func ExampleNew_test() {
	_ = func(t *testing.T, client *sqs.Client, queueURL string, fn guardtest.Invoker) {
		poller, err := sqspoll.New(t.Context(), client, queueURL, fn, queue.Mapping{ReportBatchItemFailures: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		ran := make(chan error)
		go func() { ran <- poller.Run(ctx) }()

		if _, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queueURL, MessageBody: aws.String(`{"id":"o-1"}`)}); err != nil {
			t.Error(err)
		}
		if err := poller.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == 1 }); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
}

// The poller needs four actions of a client: any type that has them will do.
func ExampleClient() {
	var client sqspoll.Client = sqs.New(sqs.Options{Region: "eu-central-1", BaseEndpoint: aws.String("http://127.0.0.1:5000")})
	fmt.Printf("%T\n", client)
	// Output: *sqs.Client
}
