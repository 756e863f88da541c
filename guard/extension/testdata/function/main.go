// Command function writes a line and answers with the request id.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	lambda.Start(func(ctx context.Context) (string, error) {
		lc, _ := lambdacontext.FromContext(ctx)
		fmt.Println("a line of", lc.AwsRequestID)
		return lc.AwsRequestID, nil
	})
}
