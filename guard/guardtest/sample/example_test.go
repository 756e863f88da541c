package sample_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

func ExampleOf() {
	handler := guard.Func(func(_ context.Context, in events.SQSEvent) (struct{}, error) {
		for _, message := range in.Records {
			fmt.Println(message.MessageId, message.Body, message.Attributes["ApproximateReceiveCount"])
		}
		return struct{}{}, nil
	})
	event := sample.Of(guard.SQS).
		Messages(`{"order":1}`, `{"order":2}`).
		Set("/Records/1/attributes/ApproximateReceiveCount", "5")
	_, err := handler.Invoke(context.Background(), event.Bytes())
	fmt.Println(err)
	// Output:
	// 059f36b4-87a3-44ab-83d2-661975830001 {"order":1} 1
	// 059f36b4-87a3-44ab-83d2-661975830002 {"order":2} 5
	// <nil>
}

func ExampleOf_variant() {
	event := sample.Of(guard.Authorizer, "token").
		Set("/authorizationToken", "Bearer expired").
		Delete("/type")
	fmt.Println(event)
	// Output:
	// {"authorizationToken":"Bearer expired","methodArn":"arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/orders/42"}
}

func ExampleEvent_Repeat() {
	event := sample.Of(guard.S3).Repeat(2).
		Set("/Records/1/s3/object/key", "2020/03/invoice+43.pdf")
	fmt.Println(event.Get("/Records/0/s3/object/key"), event.Get("/Records/0/s3/object/sequencer"))
	fmt.Println(event.Get("/Records/1/s3/object/key"), event.Get("/Records/1/s3/object/sequencer"))
	// Output:
	// 2020/03/invoice+no.+42.pdf 0C0F6F405D6ED20001
	// 2020/03/invoice+43.pdf 0C0F6F405D6ED20002
}

func ExampleHTTP() {
	type order struct {
		Status string `json:"status"`
	}
	handler := guard.Wrap(httpapi.Func(func(ctx context.Context, in order) (order, error) {
		req, _ := httpapi.RequestFrom(ctx)
		fmt.Println(req.Method, req.PathValue("id"), in.Status, "by", req.Authorizer().JWT.Claims["sub"])
		return in, nil
	}))
	event := sample.HTTP("PUT", "/orders/42?notify=true").
		Route("PUT /orders/{id}").
		JWT(map[string]string{"sub": "jane"}).
		JSON(`{"status":"paid"}`)
	_, err := handler.Invoke(context.Background(), event.Bytes())
	fmt.Println(err)
	// Output:
	// PUT 42 paid by jane
	// <nil>
}
