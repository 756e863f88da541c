package visibility_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/lambdarmor/lambdarmor/guard/batch/visibility"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var _ visibility.Client = (*sqs.Client)(nil)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

func TestNoOtherClientIsLinked(t *testing.T) { awstest.MustLinkOnly(t, "sqs") }

// asked keeps what it is asked for.
type asked struct {
	in *sqs.ChangeMessageVisibilityInput
}

func (a *asked) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	a.in = in
	return new(sqs.ChangeMessageVisibilityOutput), nil
}

func message(arn string) events.SQSMessage {
	return events.SQSMessage{MessageId: "1", ReceiptHandle: "AQEB", EventSourceARN: arn}
}

func TestAQueueHasTheURLOfItsPartition(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:sqs:eu-central-1:111122223333:orders":         "https://sqs.eu-central-1.amazonaws.com/111122223333/orders",
		"arn:aws:sqs:eu-central-1:111122223333:orders.fifo":    "https://sqs.eu-central-1.amazonaws.com/111122223333/orders.fifo",
		"arn:aws:sqs:us-west-2:111122223333:a_b-C9":            "https://sqs.us-west-2.amazonaws.com/111122223333/a_b-C9",
		"arn:aws-cn:sqs:cn-north-1:111122223333:orders":        "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/orders",
		"arn:aws-us-gov:sqs:us-gov-west-1:111122223333:orders": "https://sqs.us-gov-west-1.amazonaws.com/111122223333/orders",
		"arn:aws-eusc:sqs:eusc-de-east-1:111122223333:orders":  "https://sqs.eusc-de-east-1.amazonaws.eu/111122223333/orders",
		"arn:aws-iso:sqs:us-iso-east-1:111122223333:orders":    "https://sqs.us-iso-east-1.c2s.ic.gov/111122223333/orders",
		"arn:aws-iso-b:sqs:us-isob-east-1:111122223333:orders": "https://sqs.us-isob-east-1.sc2s.sgov.gov/111122223333/orders",
		"arn:aws-iso-e:sqs:eu-isoe-west-1:111122223333:orders": "https://sqs.eu-isoe-west-1.cloud.adc-e.uk/111122223333/orders",
		"arn:aws-iso-f:sqs:us-isof-east-1:111122223333:orders": "https://sqs.us-isof-east-1.csp.hci.ic.gov/111122223333/orders",
	} {
		var client asked
		if err := visibility.New(&client).Delay(t.Context(), message(arn), time.Minute); err != nil {
			t.Errorf("%s: %v", arn, err)
		} else if *client.in.QueueUrl != want || *client.in.ReceiptHandle != "AQEB" {
			t.Errorf("%s: got %s and %s, want %s", arn, *client.in.QueueUrl, *client.in.ReceiptHandle, want)
		}
	}
}

func TestWhatHasNoQueueIsAnError(t *testing.T) {
	for name, m := range map[string]events.SQSMessage{
		"nothing":            message(""),
		"no ARN":             message("orders"),
		"a topic":            message("arn:aws:sns:eu-central-1:111122223333:orders"),
		"too few parts":      message("arn:aws:sqs:eu-central-1:orders"),
		"too many parts":     message("arn:aws:sqs:eu-central-1:111122223333:orders:x"),
		"no region":          message("arn:aws:sqs::111122223333:orders"),
		"a region of a URL":  message("arn:aws:sqs:evil.example/:111122223333:orders"),
		"an account of one":  message("arn:aws:sqs:eu-central-1:../x:orders"),
		"a name of one":      message("arn:aws:sqs:eu-central-1:111122223333:x?y"),
		"only a suffix":      message("arn:aws:sqs:eu-central-1:111122223333:.fifo"),
		"another partition":  message("arn:aws-moon:sqs:moon-1:111122223333:orders"),
		"no receipt handle":  {EventSourceARN: "arn:aws:sqs:eu-central-1:111122223333:orders"},
		"partition of a URL": message("arn:evil.example:sqs:eu-central-1:111122223333:orders"),
	} {
		var client asked
		err := visibility.New(&client).Delay(t.Context(), m, time.Minute)
		if err == nil || !strings.HasPrefix(err.Error(), "visibility: ") || client.in != nil {
			t.Errorf("%s: got %v and asked %v, want an error alone", name, err, client.in)
		}
	}
}

func TestATimeIsWholeSecondsWithinTheLimit(t *testing.T) {
	for d, want := range map[time.Duration]int32{
		-time.Hour: 0, 0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Second: 90,
		11 * time.Hour: 39600, 11*time.Hour + 40*time.Minute: 42000, 12 * time.Hour: 42000, 1 << 62: 42000,
	} {
		var client asked
		if err := visibility.New(&client, visibility.QueueURL("https://q")).Delay(t.Context(), message(""), d); err != nil {
			t.Fatal(err)
		}
		if got := client.in.VisibilityTimeout; got != want || *client.in.QueueUrl != "https://q" {
			t.Errorf("%v: got %d s at %s, want %d s", d, got, *client.in.QueueUrl, want)
		}
	}
}

// Real parts: moto shows again at once what is delayed by nothing, and not what is
// delayed by more.
func TestAMessageIsVisibleAgainWhenItsTimeHasCome(t *testing.T) {
	client := awstest.SQS(servers.Moto(t).URL())
	url := awstest.Queue(t, client, "", map[string]string{"VisibilityTimeout": "3600"})
	body := "x"
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
	delayer := visibility.New(client, visibility.QueueURL(url))
	for _, tt := range []struct {
		delay time.Duration
		want  int
	}{{0, 1}, {time.Hour, 0}} {
		got := awstest.Receive(t, client, url)
		if len(got) != 1 {
			t.Fatalf("got %d messages, want 1", len(got))
		}
		if err := delayer.Delay(t.Context(), eventOf(got[0]), tt.delay); err != nil {
			t.Fatal(err)
		}
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, VisibilityTimeout: 0})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) != tt.want {
			t.Errorf("after %v: got %d messages, want %d", tt.delay, len(out.Messages), tt.want)
		}
		for _, m := range out.Messages {
			if err := delayer.Delay(t.Context(), eventOf(m), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := delayer.Delay(t.Context(), message(""), time.Minute); err == nil {
		t.Error("got no error for a receipt handle of no message")
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := delayer.Delay(canceled, message(""), time.Minute); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("got %v, want the context's error", err)
	}
}

func eventOf(m types.Message) events.SQSMessage {
	return events.SQSMessage{MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle}
}

func TestManyMessagesAtOnce(t *testing.T) {
	client := awstest.SQS(servers.Moto(t).URL())
	url := awstest.Queue(t, client, "", nil)
	for i := range 10 {
		body := fmt.Sprint(i)
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	}
	delayer := visibility.New(client, visibility.QueueURL(url))
	var running sync.WaitGroup
	for _, m := range awstest.Receive(t, client, url) {
		running.Go(func() {
			if err := delayer.Delay(t.Context(), eventOf(m), 0); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if got := awstest.Receive(t, client, url); len(got) != 10 {
		t.Errorf("got %d messages, want 10", len(got))
	}
}

func TestAMisconfigurationPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"no client": func() { visibility.New(nil) },
		"no URL":    func() { visibility.QueueURL("") },
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, "visibility: ") {
					t.Errorf("%s: got %q, want a panic that names the package", name, r)
				}
			}()
			f()
		}()
	}
}
