//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

const queuePackage = "./testdata/queue"

// put puts a message and returns its id.
func (s *session) put(query, body string) string {
	s.t.Helper()
	status, answer := s.post(query, body)
	var sent struct{ MessageID string }
	if err := json.Unmarshal([]byte(answer), &sent); err != nil || status != http.StatusOK || sent.MessageID == "" {
		s.t.Fatalf("%d %s", status, answer)
	}
	return sent.MessageID
}

func (s *session) post(query, body string) (status int, answer string) {
	s.t.Helper()
	client := &http.Client{Timeout: patient}
	res, err := client.Post(s.url+"/_queue"+query, "text/plain", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

type shownQueue struct {
	Queue, DeadLetterQueue string
	Counts                 struct{ Sent, Waiting, Done, DeadLettered, Filtered int }
	Messages               []line
}

func (s *session) shown() shownQueue {
	s.t.Helper()
	var shown shownQueue
	if err := json.Unmarshal([]byte(s.answer("/_queue")), &shown); err != nil {
		s.t.Fatal(err)
	}
	return shown
}

func TestQueueOfTheTemplate(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, queuePackage)
	want := regexp.MustCompile(`^queue on http://127\.0\.0\.1:\d+ \(timeout 29s, memory 128 MB, payload format 2\.0\)
  POST /_queue puts a message into Orders, GET /_queue shows its ledger
  what was received 2 times goes to OrdersDead
try: curl -i -X POST http://127\.0\.0\.1:\d+/_queue -d '\{\}'
$`)
	if !want.MatchString(s.banner) {
		t.Errorf("it prints %s", s.banner)
	}
	s.onConsole("queue Orders: a message can come again while it is handled: its visibility timeout, 1s, is below -timeout, 29s")
	s.put("", "good")
	poison := s.put("?attr.kind=order", "fail")
	s.put("", "ignored")
	s.onConsole("queue Orders: message " + poison + " is dead-lettered to OrdersDead: received 2 times, at last reported")
	s.onConsole("message good attempt 1")
	s.onConsole("message fail attempt 2")
	eventually(t, "all is settled", func() bool { return s.shown().Counts.Waiting == 0 })
	got := s.shown()
	if c := got.Counts; c.Sent != 3 || c.Done != 1 || c.DeadLettered != 1 || c.Filtered != 1 || got.Queue != "Orders" || got.DeadLetterQueue != "OrdersDead" {
		t.Errorf("it shows %+v", got)
	}
	if len(got.Messages) != 1 || got.Messages[0].ID != poison || got.Messages[0].Tries != 2 {
		t.Errorf("messages are %+v", got.Messages)
	}
	if status, body := s.get("/orders"); status != 404 || !strings.Contains(body, "-route") {
		t.Errorf("another path: %d %s", status, body)
	}
	if status := s.end(syscall.SIGINT); status != exitOK {
		t.Errorf("exit status %d", status)
	}
	s.onConsole("queue Orders: 0 messages are left and 1 dead letter, which end with the command")
}

func TestPrintedCommandOfAQueueWorks(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-queue", "-queue=orders.fifo"} {
		s := serveLocal(t, flag, queuePackage)
		command := printedCommand(t, s)
		answer, err := exec.Command("sh", "-c", command).Output()
		if err != nil || !strings.Contains(string(answer), "HTTP/1.1 200 OK") {
			t.Errorf("%s: %v, %s", command, err, answer)
		}
		s.onConsole("message {} attempt 1")
	}
}

func TestFunctionReachesItsQueueByTheSDK(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, queuePackage)
	s.put("", "again")
	s.onConsole("shown again")
	s.onConsole("message again attempt 2")
}

func TestFailedBatchIsOnTheConsole(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, queuePackage)
	s.put("", "exit")
	s.onConsole("1 message, all failed: Runtime.ExitError")
	s.put("", "break")
	s.onConsole("1 message, all failed: errorString: it says so")
}

func TestFIFOQueueByFlag(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-queue=orders.fifo", echoPackage)
	if status, body := s.post("", "{}"); status != 400 || !strings.Contains(body, "a message of a FIFO queue needs a group") {
		t.Errorf("without a group: %d %s", status, body)
	}
	if status, body := s.post("?groop=a", "{}"); status != 400 || !strings.Contains(body, "groop") {
		t.Errorf("an unknown parameter: %d %s", status, body)
	}
	if first, second := s.put("?group=a&dedup=1", `{"do":"pid"}`), s.put("?group=a&dedup=1", `{"do":"pid"}`); first != second {
		t.Errorf("ids %s and %s, want one message", first, second)
	}
}

func TestQueueBesideAnAPI(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-route", "GET /pid", "-queue", echoPackage)
	if pid := s.answer("/pid"); !strings.Contains(s.console.String(), "init of "+pid) {
		t.Errorf("the API answered %s", pid)
	}
	s.put("", `{"do":"pid"}`)
	// The echo answers an event of SQS with an error.
	s.onConsole("queue queue: batch 1, 1 message, all failed")
	if counts := s.shown().Counts; counts.Waiting != 1 {
		t.Errorf("the counts are %+v", counts)
	}
}

// The batch under way ends with the function, and what was in it is left.
func TestEndOfAQueueLosesNothingUnsaid(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, queuePackage)
	never, _ := newEvent(t)
	s.put("", "await "+never)
	s.onConsole("message await")
	s.put("?delay=900", "later")
	if status := s.end(syscall.SIGTERM); status != exitOK {
		t.Errorf("exit status %d", status)
	}
	s.onConsole("1 message, all failed: Runtime.ExitError")
	s.onConsole("queue Orders: 2 messages are left and 0 dead letters, which end with the command")
}

func TestBatchUnderWayFinishes(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, queuePackage)
	event, happen := newEvent(t)
	s.put("", "await "+event)
	s.onConsole("message await")
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	s.onConsole("ending")
	happen()
	if status := s.exitStatus(); status != exitOK {
		t.Errorf("exit status %d", status)
	}
	s.onConsole("1 message, done")
	s.onConsole("queue Orders: it is empty")
}

func TestQueueOfARealAPI(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "any")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "any")
	t.Setenv("AWS_REGION", awstest.Config("").Region)
	moto := testserver.Moto(t)
	client := sqs.NewFromConfig(awstest.Config(moto.URL()))
	created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders"), Attributes: map[string]string{"VisibilityTimeout": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	s := serveLocal(t, "-queue", moto.URL()+"/123456789012/orders", queuePackage)
	for _, body := range []string{"good", "again"} {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: created.QueueUrl, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	}
	s.onConsole("message good attempt 1")
	s.onConsole("message again attempt 2")
	eventually(t, "both are done", func() bool { return s.shown().Counts.Done == 2 })
	if status, body := s.post("", "x"); status != 409 || !strings.Contains(body, "/orders") {
		t.Errorf("POST: %d %s", status, body)
	}
	if status := s.end(syscall.SIGINT); status != exitOK {
		t.Errorf("exit status %d", status)
	}
	s.onConsole("queue orders: 2 messages were done; all others are in the queue still")
}

func TestQueueFlags(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want sourceFlag
		err  string
	}{
		"none":            {args: []string{"x"}},
		"in memory":       {args: []string{"-queue", "x"}, want: sourceFlag{set: true}},
		"named":           {args: []string{"-queue=a.fifo", "x"}, want: sourceFlag{set: true, value: "a.fifo"}},
		"a URL":           {args: []string{"-queue", "http://127.0.0.1:5000/1/q", "-timeout", "3s", "x"}, want: sourceFlag{set: true, value: "http://127.0.0.1:5000/1/q"}},
		"a URL behind =":  {args: []string{"--queue=https://sqs.eu-central-1.amazonaws.com/1/q", "x"}, want: sourceFlag{set: true, value: "https://sqs.eu-central-1.amazonaws.com/1/q"}},
		"with an event":   {args: []string{"-queue", "-event", "-", "x"}, err: "run it without -queue"},
		"nothing to call": {args: []string{"-queue", "http://127.0.0.1:5000/1/q"}, err: "one package or bootstrap"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseOptions(c.args, io.Discard)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %s", err, c.err)
				}
				return
			}
			if err != nil || got.queue != c.want || got.target != "x" {
				t.Errorf("got %+v of %q, %v, want %+v", got.queue, got.target, err, c.want)
			}
		})
	}
}

func TestAQueueThatCannotBe(t *testing.T) {
	t.Parallel()
	status, _, stderr := runLocal(t, "", "-addr", "127.0.0.1:0", "-queue=a/b", echo)
	if status != exitFailed || !strings.Contains(stderr, "the queue cannot be: queue: a queue's name") {
		t.Errorf("%d %s", status, stderr)
	}
}
