package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch/s3dead"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// A FIFO queue drops a message whose id it has seen in the last five minutes. The
// same letter is one message; a letter that is stored anew is another.
func TestALetterThatIsStoredAnewIsSentAnew(t *testing.T) {
	a := newAccount(t)
	dead, to := awstest.Bucket(t, a.objects), awstest.Queue(t, a.queues, ".fifo", nil)
	sink := s3dead.New(a.objects, dead, s3dead.Prefix(strings.Repeat("long/", 30)))
	l := grouped(t, "a1", "a")
	for want := 1; want <= 2; want++ {
		l.LastFailure = l.LastFailure.Add(time.Minute)
		if err := sink.Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		a.mustRun(0, "-from", "s3://"+dead, "-to", to)
		if got := a.count(to); got != want {
			t.Fatalf("got %d messages, want %d: the letter is gone", got, want)
		}
	}
}

// Without an answer it is not known whether the function has run: the letter stays,
// and nothing invokes the function a second time.
func TestAnInvocationWithoutAnAnswerIsNotRepeated(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	a.sink(dead, nil, letter(t, "a", 0))
	n := 0
	fn := guardtest.NewInProcess(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { n++; return []byte("null"), nil }), guardtest.Config{})
	p := awsproxy.New(t, awstest.Lambda(t, "booking", fn))
	t.Setenv("AWS_ENDPOINT_URL_LAMBDA", p.URL)
	p.Meet("", func(_ http.ResponseWriter, r *http.Request, body []byte) {
		_, _ = p.Forward(r, body)
		panic(http.ErrAbortHandler)
	})
	a.mustRun(1, "-from", dead, "-function", "booking", "-save", a.saved)
	if n != 1 || len(a.bodies(dead)) != 1 {
		t.Errorf("the function ran %d times, want once, and the letter in its place", n)
	}

	p.Forgive()
	p.Next("", func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("X-Amzn-Errortype", "TooManyRequestsException")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	a.mustRun(0, "-from", dead, "-function", "booking", "-save", a.saved)
	if n != 2 || len(a.bodies(dead)) != 0 {
		t.Errorf("the function ran %d times, want once more after it was throttled", n-1)
	}
}

func TestALetterThatAQueueRefusesHoldsUpNone(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	to := awstest.Queue(t, a.queues, "", map[string]string{"MaximumMessageSize": "1024"})
	a.sink(dead, nil, letter(t, strings.Repeat("x", 2000), 0), letter(t, "a", 0), letter(t, "b", 0))
	log := a.mustRun(1, "-from", dead, "-to", to, "-save", a.saved)
	if got := a.bodies(to); len(got) != 2 || len(a.bodies(dead)) != 1 {
		t.Errorf("sent are %q, want a and b:\n%s", got, log)
	}
	if log := a.mustRun(1, "-from", dead, "-to", to+"-none", "-save", a.saved); !strings.Contains(log, "NonExistentQueue") {
		t.Errorf("got the log\n%s", log)
	}
}

// What was sent with a group goes back with it, also to a standard queue, which has
// groups for fairness.
func TestAGroupGoesBackToAStandardQueue(t *testing.T) {
	a := newAccount(t)
	dead, to := awstest.Queue(t, a.queues, "", nil), awstest.Queue(t, a.queues, "", nil)
	a.sink(dead, nil, grouped(t, "a1", "a"))
	a.mustRun(0, "-from", dead, "-to", to, "-save", a.saved)
	if got := a.messages(to); len(got) != 1 || got[0].Attributes["MessageGroupId"] != "a" {
		t.Errorf("got %+v, want the message with its group", got)
	}
}
