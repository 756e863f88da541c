package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

const orders = "arn:aws:sqs:eu-central-1:111122223333:orders"

// account is an AWS account with a function named booking.
type account struct {
	t       *testing.T
	queues  *sqs.Client
	objects *s3.Client
	saved   string // the folder

	mu     sync.Mutex // guards what follows
	events []string   // that the function got
	answer func(ctx context.Context, event string) (string, error)
}

func newAccount(t *testing.T) *account {
	t.Helper()
	moto := servers.Moto(t).URL()
	a := &account{t: t, queues: awstest.SQS(moto), objects: awstest.S3(moto), saved: filepath.Join(t.TempDir(), "saved")}
	fn := guardtest.NewInProcess(guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		a.mu.Lock()
		a.events = append(a.events, string(payload))
		answer := a.answer
		a.mu.Unlock()
		if answer == nil {
			return []byte(`{"batchItemFailures":[]}`), nil
		}
		text, err := answer(ctx, string(payload))
		return []byte(text), err
	}), guardtest.Config{})
	for name, value := range environment(moto, awstest.Lambda(t, "booking", fn)) {
		t.Setenv(name, value)
	}
	return a
}

// environment leads a process to the servers.
func environment(moto, functions string) map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_SQS": moto, "AWS_ENDPOINT_URL_S3": moto, "AWS_ENDPOINT_URL_LAMBDA": functions,
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	}
}

// run runs the command, with a rate that does not matter.
func (a *account) run(ctx context.Context, args ...string) (code int, log string) {
	var w bytes.Buffer
	code = command(ctx, append([]string{"-rate", "1000"}, args...), &w)
	return code, w.String()
}

func (a *account) mustRun(want int, args ...string) (log string) {
	a.t.Helper()
	code, log := a.run(a.t.Context(), args...)
	if code != want {
		a.t.Fatalf("got the exit code %d, want %d:\n%s", code, want, log)
	}
	return log
}

// taken are the events that the function got since the last call.
func (a *account) taken() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := a.events
	a.events = nil
	return events
}

func (a *account) answers(with func(ctx context.Context, event string) (string, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = with
}

func (a *account) send(url, body string, attributes map[string]types.MessageAttributeValue, group string) {
	a.t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageAttributes: attributes}
	if group != "" {
		in.MessageGroupId, in.MessageDeduplicationId = &group, aws.String(fmt.Sprint(time.Now().UnixNano()))
	}
	if _, err := a.queues.SendMessage(a.t.Context(), in); err != nil {
		a.t.Fatal(err)
	}
}

// bodies are those that are visible in a queue now. They stay visible.
func (a *account) bodies(url string) (bodies []string) {
	a.t.Helper()
	for _, m := range a.messages(url) {
		bodies = append(bodies, *m.Body)
	}
	slices.Sort(bodies)
	return bodies
}

// messages are those that are visible in a queue now. They stay visible.
func (a *account) messages(url string) (all []types.Message) {
	a.t.Helper()
	for {
		messages := awstest.Receive(a.t, a.queues, url)
		all = append(all, messages...)
		if len(messages) > 0 {
			continue
		}
		for _, m := range all {
			_, err := a.queues.ChangeMessageVisibility(a.t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
			if err != nil {
				a.t.Fatal(err)
			}
		}
		return all
	}
}

// files are the saved copies.
func (a *account) files() map[string]string {
	a.t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(a.saved)
	if err != nil && !os.IsNotExist(err) {
		a.t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(a.saved, e.Name()))
		if err != nil {
			a.t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

func str(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

// letter returns the letter of a message with a body.
func letter(t testing.TB, body string, attributes int) batch.DeadLetter {
	t.Helper()
	m := events.SQSMessage{
		MessageId: "m-" + body, ReceiptHandle: "AQEB", Body: body, EventSource: "aws:sqs", EventSourceARN: orders,
		Attributes: map[string]string{"ApproximateReceiveCount": "7"}, MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	for i := range attributes {
		value := fmt.Sprint("v", i)
		m.MessageAttributes[fmt.Sprint("a", i)] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
	}
	record, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return batch.DeadLetter{Trigger: guard.SQS, Record: record, Source: orders, ID: m.MessageId, Attempts: 7, Code: "unknown_sku", RequestID: "r-" + body, FirstFailure: time.Now(), LastFailure: time.Now()}
}

// sink sends letters to a queue.
func (a *account) sink(url string, opts []sqsdead.Option, letters ...batch.DeadLetter) {
	a.t.Helper()
	for _, l := range letters {
		if err := sqsdead.New(a.queues, url, opts...).Send(a.t.Context(), l); err != nil {
			a.t.Fatal(err)
		}
	}
}

// message decodes the one message of an event.
func message(t *testing.T, event string) events.SQSMessage {
	t.Helper()
	var e events.SQSEvent
	if err := json.Unmarshal([]byte(event), &e); err != nil || len(e.Records) != 1 {
		t.Fatalf("got %s, %v, want an event with one message", event, err)
	}
	return e.Records[0]
}

func TestAUseThatIsWrongIsExplained(t *testing.T) {
	a := newAccount(t)
	const q = "https://sqs.eu-central-1.amazonaws.com/111122223333/dead"
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"nothing":                   {nil, "-from is missing"},
		"no place":                  {[]string{"-from", "dead", "-function", "f", "-save", "s"}, "neither the URL of a queue nor"},
		"a bucket without its name": {[]string{"-from", "s3:///p", "-function", "f"}, "neither the URL of a queue nor"},
		"no target":                 {[]string{"-from", q, "-save", "s"}, "either -function or -to"},
		"two targets":               {[]string{"-from", q, "-save", "s", "-function", "f", "-to", q}, "either -function or -to"},
		"a target of no URL":        {[]string{"-from", q, "-save", "s", "-to", "orders"}, "-to is not the URL"},
		"its own target":            {[]string{"-from", q, "-save", "s", "-to", q}, "-to is the queue of -from"},
		"nothing saved":             {[]string{"-from", q, "-function", "f"}, "-save is missing"},
		"saved where it reads":      {[]string{"-from", "s3://b/dead/", "-function", "f", "-save", "s3://b/dead/saved"}, "-save and -from overlap"},
		"saved around it":           {[]string{"-from", "s3://b/dead", "-function", "f", "-save", "s3://b"}, "-save and -from overlap"},
		"a rate of ages":            {[]string{"-from", q, "-function", "f", "-save", "s", "-rate", "1e-12"}, "-rate is 1e-12"},
		"no rate":                   {[]string{"-from", q, "-function", "f", "-save", "s", "-rate", "0"}, "-rate is 0"},
		"a rate of no number":       {[]string{"-from", q, "-function", "f", "-save", "s", "-rate", "NaN"}, "-rate is NaN"},
		"less than none":            {[]string{"-from", q, "-function", "f", "-save", "s", "-max", "-1"}, "-max is -1"},
		"invisible too long":        {[]string{"-from", q, "-function", "f", "-save", "s", "-visibility", "13h"}, "-visibility is 13h"},
		"no flag":                   {[]string{"-from", q, "-function", "f", "-save", "s", "more"}, `"more" is no flag`},
		"another flag":              {[]string{"-hurry"}, "not defined: -hurry"},
	} {
		var w bytes.Buffer
		if code := command(t.Context(), tt.args, &w); code != 2 || !strings.Contains(w.String(), tt.want) {
			t.Errorf("%s: got the exit code %d and %s, want 2 and %q", name, code, w.String(), tt.want)
		}
	}
	if got := a.taken(); len(got) != 0 {
		t.Errorf("the function got %q", got)
	}
}

func TestWhatSucceedsIsRemovedAndTheRestStays(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	for _, body := range []string{"good", "listed", "thrown", "odd", "empty", "null", "bare"} {
		a.sink(dead, nil, letter(t, body, 2))
	}
	a.answers(func(_ context.Context, event string) (string, error) {
		switch m := message(t, event); m.Body {
		case "listed":
			return `{"batchItemFailures":[{"itemIdentifier":"` + m.MessageId + `"}]}`, nil
		case "thrown":
			return "", guard.Errorf(guard.Internal, "hunter2", "hunter2")
		case "odd":
			return `"ok"`, nil
		case "empty":
			return "", nil
		case "null":
			return `{"batchItemFailures":null}`, nil
		case "bare":
			return `null`, nil
		}
		return `{"batchItemFailures":[]}`, nil
	})
	log := a.mustRun(1, "-from", dead, "-function", "booking", "-save", a.saved)
	if got := a.bodies(dead); !slices.Equal(got, []string{"listed", "odd", "thrown"}) {
		t.Errorf("got %q in the queue, want what failed, visible at once:\n%s", got, log)
	}
	if !strings.Contains(log, "done=4 failed=3") || strings.Contains(log, "hunter2") {
		t.Errorf("got the log\n%s", log)
	}
	events := a.taken()
	if len(events) != 7 || len(a.files()) != 7 {
		t.Errorf("got %d events and %d copies, want 7", len(events), len(a.files()))
	}
	for _, event := range events {
		m := message(t, event)
		if m.EventSource != "aws:sqs" || m.EventSourceARN != orders || m.AWSRegion != "eu-central-1" || m.MessageId != "m-"+m.Body ||
			len(m.MessageAttributes) != 2 || m.Attributes["ApproximateReceiveCount"] != "1" {
			t.Errorf("got %s, want the message as it first came", event)
		}
	}
	for name, copied := range a.files() {
		if !strings.Contains(copied, `"lambdarmor.code":{"stringValue":"unknown_sku"`) || !strings.HasSuffix(name, ".json") {
			t.Errorf("%s: got %s", name, copied)
		}
	}

	a.answers(nil) // the issue is fixed
	a.mustRun(0, "-from", dead, "-function", "booking", "-save", a.saved)
	if got := a.taken(); len(got) != 3 || len(a.bodies(dead)) != 0 {
		t.Errorf("got %d events, want 3 and an empty queue", len(got))
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	a.sink(dead, nil, letter(t, "a", 0), letter(t, "b", 0))
	log := a.mustRun(0, "-from", dead, "-function", "booking", "-dry-run", "-save", a.saved)
	if strings.Count(log, `"would be run again"`) != 2 || !strings.Contains(log, "trigger=sqs code=unknown_sku") {
		t.Errorf("got the log\n%s", log)
	}
	if events, files, bodies := a.taken(), a.files(), a.bodies(dead); len(events) != 0 || len(files) != 0 || len(bodies) != 2 {
		t.Errorf("got %d events, %d copies and %d messages, want 0, 0 and 2", len(events), len(files), len(bodies))
	}
}

func TestNoMoreRunThanAllowed(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	for i := range 5 {
		a.sink(dead, nil, letter(t, fmt.Sprint(i), 0))
	}
	a.mustRun(0, "-from", dead, "-function", "booking", "-save", a.saved, "-max", "2")
	if got, left := a.taken(), a.bodies(dead); len(got) != 2 || len(left) != 3 {
		t.Errorf("got %d events and %d messages, want 2 and 3", len(got), len(left))
	}
}

func TestWhatIsNotSavedDoesNotRun(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	a.sink(dead, nil, letter(t, "a", 0))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{file, "s3://no-such-bucket/x"} {
		if log := a.mustRun(1, "-from", dead, "-function", "booking", "-save", place); !strings.Contains(log, "is not saved, and not run") {
			t.Errorf("got the log\n%s", log)
		}
	}
	if got, left := a.taken(), a.bodies(dead); len(got) != 0 || len(left) != 1 {
		t.Errorf("got %d events and %d messages, want 0 and 1", len(got), len(left))
	}
}

func TestACopyInABucketRunsAgain(t *testing.T) {
	a := newAccount(t)
	dead, saved := awstest.Queue(t, a.queues, "", nil), awstest.Bucket(t, a.objects)
	a.sink(dead, nil, letter(t, "a", 10))
	a.mustRun(0, "-from", dead, "-function", "booking", "-save", "s3://"+saved+"/saved/")
	first := a.taken()
	a.mustRun(0, "-from", "s3://"+saved+"/saved/", "-function", "booking")
	if again := a.taken(); !slices.Equal(first, again) || len(first) != 1 || len(message(t, first[0]).MessageAttributes) != 10 {
		t.Errorf("got %q and then %q, want the same event", first, again)
	}
	if got := awstest.Objects(t, a.objects, saved); len(got) != 0 {
		t.Errorf("got %q, want nothing left", slices.Sorted(maps.Keys(got)))
	}
}

func TestAFunctionThatIsMissingEndsTheRun(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	a.sink(dead, nil, letter(t, "a", 0), letter(t, "b", 0))
	log := a.mustRun(1, "-from", dead, "-function", "none", "-save", a.saved)
	if !strings.Contains(log, "ResourceNotFoundException") || !strings.Contains(log, "failed=1") || len(a.bodies(dead)) != 2 {
		t.Errorf("got the log\n%s", log)
	}
	a.mustRun(1, "-from", dead+"-none", "-function", "booking", "-save", a.saved)
}
