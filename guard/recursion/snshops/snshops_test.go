package snshops_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/guard/recursion/snshops"
)

// recorded keeps the last body that was sent.
type recorded struct{ body string }

func (s *recorded) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	s.body = string(body)
	answer := `<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer))}, err
}

func TestAnSMSGetsNoCounter(t *testing.T) {
	var s recorded
	client := sns.New(sns.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: &s}, snshops.Carry)
	for _, c := range []struct {
		name  string
		input *sns.PublishInput
		want  bool
	}{
		{name: "SMS", input: &sns.PublishInput{PhoneNumber: aws.String("+491234567"), Message: aws.String("m")}, want: false},
		{name: "topic", input: &sns.PublishInput{TopicArn: aws.String("arn:aws:sns:eu-central-1:123456789012:orders"), Message: aws.String("m")}, want: true},
	} {
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			_, err := client.Publish(ctx, c.input)
			return nil, err
		}), recursion.Limit(8))
		if _, err := h.Invoke(t.Context(), []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(s.body, "lambdarmor.hops"); got != c.want {
			t.Errorf("%s: got %s, want a counter %t", c.name, s.body, c.want)
		}
	}
}
