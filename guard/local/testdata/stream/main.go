// Command stream is a function that reads a stream: it writes each record to its log. It
// reports "fail" as failed, and ends at "exit".
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event events.KinesisEvent) (response events.KinesisEventResponse, err error) {
		for _, r := range event.Records {
			text := string(r.Kinesis.Data)
			fmt.Println("record", text, "of", r.Kinesis.PartitionKey)
			switch text {
			case "fail":
				response.BatchItemFailures = append(response.BatchItemFailures, events.KinesisBatchItemFailure{ItemIdentifier: r.Kinesis.SequenceNumber})
			case "exit":
				os.Exit(1)
			}
		}
		return response, nil
	})
}
