// Command orders is a function that appends the body of each message it handles to the
// file DONE. By its body a message fails, or ends the process.
package main

import (
	"context"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, r := range event.Records {
		attempt := r.Attributes["ApproximateReceiveCount"]
		switch {
		case strings.HasPrefix(r.Body, "poison"):
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
			continue
		case strings.HasPrefix(r.Body, "exit") && attempt == "1":
			os.Exit(7)
		}
		file, err := os.OpenFile(os.Getenv("DONE"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return answer, err
		}
		_, err = file.WriteString(r.Body + "\n")
		if closing := file.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return answer, err
		}
	}
	return answer, nil
}
