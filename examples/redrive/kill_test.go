package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// Whenever the process ends, by a signal or at once, each message runs at least
// once, is saved before it does, and is then gone. None is lost.
func TestAKilledRedriveLosesNothing(t *testing.T) {
	const messages, kills = 300, 30
	a := newAccount(t)
	binary := guardtest.Build(t, ".")
	dead := awstest.Queue(t, a.queues, "", nil)
	for i := range messages {
		a.sink(dead, nil, letter(t, fmt.Sprint(i), 1))
	}
	done := map[string]int{}
	called := make(chan struct{}, messages+10*kills)
	a.answers(func(_ context.Context, event string) (string, error) {
		m := message(t, event)
		called <- struct{}{}
		a.mu.Lock()
		defer a.mu.Unlock()
		if done[m.Body]++; m.MessageId != "m-"+m.Body {
			t.Errorf("got %s", event)
		}
		return "null", nil
	})
	start := func() (*exec.Cmd, *bytes.Buffer) {
		t.Helper()
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), binary, "-from", dead, "-function", "booking", "-save", a.saved, "-rate", "1000", "-visibility", "1s")
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil { // with the environment of the test
			t.Fatal(err)
		}
		return cmd, &out
	}

	random := rand.New(rand.NewPCG(1, 2))
	for i := range kills {
		for len(called) > 0 {
			<-called
		}
		cmd, _ := start()
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for range 1 + random.IntN(8) {
			select {
			case <-called:
			case err := <-ended: // nothing else was visible
				ended <- err
			}
		}
		time.Sleep(time.Duration(random.IntN(15_000)) * time.Microsecond) // the moment is the test's subject
		signal := syscall.SIGKILL
		if i%4 == 3 {
			signal = syscall.SIGINT
		}
		_ = cmd.Process.Signal(signal) // it may have ended
		<-ended
	}
	left := a.count(dead)
	if left == 0 {
		t.Fatal("all is done: nothing was killed within")
	}
	for a.count(dead) > 0 {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		cmd, out := start()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	again := 0
	for i := range messages {
		n := done[strconv.Itoa(i)]
		again += max(0, n-1)
		if n == 0 {
			t.Errorf("message %d is lost", i)
		}
	}
	copies, err := filepath.Glob(filepath.Join(a.saved, "*.json"))
	if err != nil || len(copies) != messages || len(done) != messages || again > kills {
		t.Errorf("got %d copies, %v, %d messages done and %d once more, want %d and at most %d", len(copies), err, len(done), again, messages, kills)
	}
	t.Logf("%d of %d messages were left after %d kills; %d ran twice", left, messages, kills, again)
}

// count returns how many messages a queue has, visible or not.
func (a *account) count(url string) (n int) {
	a.t.Helper()
	out, err := a.queues.GetQueueAttributes(a.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
		m, err := strconv.Atoi(out.Attributes[name])
		if err != nil {
			a.t.Fatal(err)
		}
		n += m
	}
	return n
}
