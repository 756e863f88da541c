package snshops_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/guard/recursion/snshops"
)

// wire stands for SNS, and prints the attribute that it is sent.
type wire struct{}

func (wire) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	const first = "MessageAttributes.entry.1."
	fmt.Println(form.Get(first+"Name"), form.Get(first+"Value.DataType"), form.Get(first+"Value.StringValue"))
	answer := `<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
}

// The third invocation of a chain publishes a message with the number 3.
func Example() {
	client := sns.New(sns.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: wire{}}, snshops.Carry)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: aws.String("arn:aws:sns:eu-central-1:123456789012:orders"), Message: aws.String("KB-101")})
		return nil, err
	}), recursion.Limit(8))
	if _, err := h.Invoke(context.Background(), []byte(`{"_hops":2}`)); err != nil {
		fmt.Println(err)
	}
	// Output: lambdarmor.hops Number 3
}

// A function behind one topic that publishes to another.
func ExampleCarry() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := sns.NewFromConfig(cfg, snshops.Carry)
	confirm := guard.Func(func(ctx context.Context, _ struct{}) (struct{}, error) {
		_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(os.Getenv("CONFIRMATIONS")), Message: aws.String("booked")})
		return struct{}{}, err
	})
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return // not in Lambda
	}
	guard.Start(confirm, guard.Default(logging.New(os.Stdout)), recursion.Limit(8))
}

// Attributes of the program are kept, up to nine.
func ExampleCarry_attributes() {
	client := sns.New(sns.Options{Region: "eu-central-1"}, snshops.Carry)
	_ = func(ctx context.Context, order string) error {
		_, err := client.Publish(ctx, &sns.PublishInput{
			TopicArn: aws.String("arn:aws:sns:eu-central-1:123456789012:orders"),
			Message:  &order,
			MessageAttributes: map[string]types.MessageAttributeValue{
				"type": {DataType: aws.String("String"), StringValue: aws.String("order.placed")},
			},
		})
		return err
	}
}
