package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/s3dead"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

func TestMessagesGoBackToTheirQueueAsTheyWere(t *testing.T) {
	a := newAccount(t)
	for name, n := range map[string]int{"plain attributes": 2, "packed ones": 10, "none": 0} {
		t.Run(name, func(t *testing.T) {
			a := a.of(t)
			dead, to := awstest.Queue(t, a.queues, "", nil), awstest.Queue(t, a.queues, "", nil)
			a.sink(dead, nil, letter(t, "hello", n))
			a.mustRun(0, "-from", dead, "-to", to, "-save", a.saved)
			got := a.messages(to)
			if len(got) != 1 || *got[0].Body != "hello" || len(got[0].MessageAttributes) != n || len(a.bodies(dead)) != 0 {
				t.Fatalf("got %+v, want the message", got)
			}
			for i := range n {
				if v := *got[0].MessageAttributes[fmt.Sprint("a", i)].StringValue; v != fmt.Sprint("v", i) {
					t.Errorf("attribute %d: got %s", i, v)
				}
			}
		})
	}
	t.Run("what came from no queue stays", func(t *testing.T) {
		a := a.of(t)
		dead, to := awstest.Queue(t, a.queues, "", nil), awstest.Queue(t, a.queues, "", nil)
		a.sink(dead, nil, batch.DeadLetter{Trigger: guard.Kinesis, ID: "1", Record: json.RawMessage(`{}`)})
		if log := a.mustRun(1, "-from", dead, "-to", to, "-save", a.saved); !strings.Contains(log, "it came from no queue") {
			t.Errorf("got the log\n%s", log)
		}
		if len(a.bodies(to)) != 0 || len(a.bodies(dead)) != 1 {
			t.Error("it has not stayed")
		}
	})
}

// The whole way: a function gives up what it cannot book, is mended, and then books
// it all.
func TestWhatAFunctionGaveUpIsBookedOnceItIsMended(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	type order struct {
		SKU string `json:"sku"`
	}
	booked := map[string]int{}
	var mended atomic.Bool
	handler := batch.SQS(batch.JSON[events.SQSMessage](func(_ context.Context, o order) error {
		if !mended.Load() {
			return guard.Errorf(guard.Unprocessable, "unknown_sku", "No such item.")
		}
		booked[o.SKU]++
		return nil
	}), batch.DeadLetters(sqsdead.New(a.queues, dead)), batch.MaxReceives(3))
	a.answers(func(ctx context.Context, event string) (string, error) {
		answer, err := handler.Invoke(ctx, []byte(event))
		return string(answer), err
	})

	var event events.SQSEvent
	for i := range 20 {
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: fmt.Sprint("m-", i), ReceiptHandle: "AQEB", Body: fmt.Sprintf(`{"sku":"KB-%d"}`, i), EventSource: "aws:sqs", EventSourceARN: orders,
			Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(1 + i%4)}, // the fourth time one does not run
		})
	}
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := handler.Invoke(t.Context(), payload); err != nil || string(answer) != `{"batchItemFailures":[]}` || len(a.bodies(dead)) != 20 {
		t.Fatalf("got %s, %v, want 20 dead letters", answer, err)
	}
	mended.Store(true)
	log := a.mustRun(0, "-from", dead, "-function", "booking", "-save", a.saved)
	for i := range 20 {
		if n := booked[fmt.Sprint("KB-", i)]; n != 1 {
			t.Errorf("KB-%d: got %d bookings, want 1:\n%s", i, n, log)
		}
	}
	if left := a.bodies(dead); len(left) != 0 {
		t.Errorf("left are %q, want none", left)
	}
}

// grouped is a letter of a FIFO queue.
func grouped(t *testing.T, body, group string) batch.DeadLetter {
	l := letter(t, body, 0)
	l.Source += ".fifo"
	l.Group = group
	l.Record = json.RawMessage(strings.Replace(string(l.Record), `"attributes":{`, `"attributes":{"MessageGroupId":"`+group+`",`, 1))
	return l
}

func TestAGroupStaysInOrderAndWaitsForWhatFailed(t *testing.T) {
	a := newAccount(t)
	dead, to := awstest.Queue(t, a.queues, ".fifo", nil), awstest.Queue(t, a.queues, ".fifo", nil)
	a.sink(dead, nil, grouped(t, "a1", "a"), grouped(t, "b1", "b"), grouped(t, "a2", "a"), grouped(t, "b2", "b"), grouped(t, "b3", "b"))
	a.answers(func(_ context.Context, event string) (string, error) {
		m := message(t, event)
		if m.Attributes["MessageGroupId"] != m.Body[:1] || m.EventSourceARN != orders+".fifo" {
			t.Errorf("got %s", event)
		}
		if m.Body == "a1" {
			return "", errors.New("still broken")
		}
		return "null", nil
	})
	a.mustRun(1, "-from", dead, "-function", "booking", "-save", a.saved)
	var ran []string
	for _, event := range a.taken() {
		ran = append(ran, message(t, event).Body)
	}
	if b := slices.DeleteFunc(slices.Clone(ran), func(s string) bool { return s[0] != 'b' }); !slices.Equal(b, []string{"b1", "b2", "b3"}) || slices.Contains(ran, "a2") {
		t.Errorf("got %q, want b in order and nothing of a after a1", ran)
	}

	a.mustRun(0, "-from", dead, "-to", to, "-save", a.saved)
	var sent []string
	for _, m := range a.messages(to) {
		sent = append(sent, m.Attributes["MessageGroupId"]+"/"+*m.Body)
	}
	if !slices.Equal(sent, []string{"a/a1", "a/a2"}) {
		t.Errorf("got %q, want a in order", sent)
	}
}

// A group that a standard queue does not have is kept beside the message.
func TestAGroupOutlivesAQueueThatHasNone(t *testing.T) {
	a := newAccount(t)
	dead, to := awstest.Queue(t, a.queues, "", nil), awstest.Queue(t, a.queues, ".fifo", nil)
	a.sink(dead, nil, grouped(t, "a1", "a"))
	a.send(dead, "none", nil, "")
	a.mustRun(1, "-from", dead, "-to", to, "-save", a.saved)
	got := a.messages(to)
	if len(got) != 1 || got[0].Attributes["MessageGroupId"] != "a" || !slices.Equal(a.bodies(dead), []string{"none"}) {
		t.Errorf("got %+v, want the message with its group, and the other one in its place", got)
	}
}

// A function that gives a record up again answers that it is done. The new letter
// must outlive the old one, and the run must end.
func TestALetterThatIsGivenUpAgainStays(t *testing.T) {
	a := newAccount(t)
	for _, suffix := range []string{"", ".fifo"} {
		t.Run("in a queue"+suffix, func(t *testing.T) {
			a := a.of(t)
			dead := awstest.Queue(t, a.queues, suffix, nil)
			a.sink(dead, nil, letter(t, "a", 0), letter(t, "b", 0))
			var n atomic.Int64
			a.answers(func(ctx context.Context, event string) (string, error) {
				l := letter(t, message(t, event).Body, 0)
				l.RequestID = fmt.Sprint("again-", n.Add(1))
				return "null", sqsdead.New(a.queues, dead).Send(ctx, l)
			})
			log := a.mustRun(0, "-from", dead, "-function", "booking", "-save", a.saved)
			if got := a.bodies(dead); len(a.taken()) != 2 || len(got) == 0 || !strings.Contains(log, "done=2 failed=0 newer=") {
				t.Errorf("left is %q, want what was given up again:\n%s", got, log)
			}
		})
	}
	t.Run("in a bucket", func(t *testing.T) {
		a := a.of(t)
		t.Setenv("AWS_ENDPOINT_URL_S3", conditional(t, a))
		dead := awstest.Bucket(t, a.objects)
		sink := s3dead.New(a.objects, dead)
		for _, body := range []string{"a", "b"} {
			if err := sink.Send(t.Context(), letter(t, body, 0)); err != nil {
				t.Fatal(err)
			}
		}
		a.answers(func(ctx context.Context, event string) (string, error) {
			if m := message(t, event); m.Body == "a" {
				l := letter(t, m.Body, 0)
				l.Code = "again"
				return "null", sink.Send(ctx, l)
			}
			return "null", nil
		})
		log := a.mustRun(1, "-from", "s3://"+dead, "-function", "booking")
		left := awstest.Objects(t, a.objects, dead)
		for _, object := range left {
			if !strings.Contains(object, `"code":"again"`) {
				t.Errorf("left is %s", object)
			}
		}
		if len(left) != 1 || !strings.Contains(log, "it is done, but still there") {
			t.Errorf("left are %d objects, want the new one:\n%s", len(left), log)
		}
	})
}

// conditional returns the URL of an S3 that deletes an object only if it is the one
// that is meant: moto does not read If-Match of a DELETE.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
func conditional(t *testing.T, a *account) string {
	moto := servers.Moto(t).URL()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if r.Method == http.MethodDelete {
			out, err := a.objects.HeadObject(r.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
			if err != nil || *out.ETag != r.Header.Get("If-Match") {
				w.WriteHeader(http.StatusPreconditionFailed)
				_, _ = io.WriteString(w, "<Error><Code>PreconditionFailed</Code></Error>")
				return
			}
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		reply, err := awsproxy.Forward(moto, r, body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		for name, values := range reply.Header {
			if name == "Etag" || name == "Last-Modified" || name == "Content-Type" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(reply.Status)
		_, _ = w.Write(reply.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// What has begun is ended. What has not is visible again at once.
func TestASignalLosesNothing(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	a.sink(dead, nil, letter(t, "bad", 0))
	ctx, cancel := context.WithCancel(t.Context())
	a.answers(func(context.Context, string) (string, error) { return "", errors.New("bad") })
	a.mustRun(1, "-from", dead, "-function", "booking", "-save", a.saved)
	a.taken()
	a.sink(dead, nil, letter(t, "a", 0), letter(t, "b", 0), letter(t, "c", 0))
	ran := 0
	a.answers(func(inner context.Context, event string) (string, error) {
		if message(t, event).Body == "bad" {
			return "", errors.New("bad")
		}
		cancel()
		ran++
		return "null", inner.Err()
	})
	code, log := a.run(ctx, "-from", dead, "-function", "booking", "-save", a.saved)
	if code != 1 || !strings.Contains(log, "done=1") || !strings.Contains(log, "context canceled") {
		t.Errorf("got the exit code %d:\n%s", code, log)
	}
	if left := a.bodies(dead); ran != 1 || len(left) != 3 || !slices.Contains(left, "bad") {
		t.Errorf("ran are %d and left %q, want one, and all others", ran, left)
	}
}

// A message that has failed is visible again before the run has ended, if others
// take long.
func TestARunEndsThoughWhatFailedComesAgain(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	a.sink(dead, nil, letter(t, "a", 0), letter(t, "b", 0), letter(t, "c", 0))
	a.answers(func(context.Context, string) (string, error) {
		time.Sleep(700 * time.Millisecond) // of one second that it is invisible
		return "", errors.New("still broken")
	})
	log := a.mustRun(1, "-from", dead, "-function", "booking", "-save", a.saved, "-visibility", "1s")
	if got, left := a.taken(), a.bodies(dead); len(got) != 3 || len(left) != 3 {
		t.Errorf("got %d events and %q, want each once:\n%s", len(got), left, log)
	}
}

// pretended is a source with so many letters, and a target that takes a while.
type pretended struct {
	letters int
	finds   time.Duration // takes a while, for every other letter
	takes   time.Duration
	begun   []time.Time
	gone    int
	freed   bool
}

func (p *pretended) next(context.Context) (*entry, error) {
	if p.letters == 0 {
		return nil, nil
	}
	if p.letters--; p.letters%2 == 0 {
		time.Sleep(p.finds)
	}
	return &entry{
		id: "1", read: func(context.Context) (replay, error) { return replay{}, nil },
		remove: func(context.Context) error { p.gone++; return nil },
	}, nil
}
func (p *pretended) release(ctx context.Context) error { p.freed = true; return ctx.Err() }

func (p *pretended) run(ctx context.Context, _ string, _ replay) error {
	p.begun = append(p.begun, time.Now())
	select {
	case <-time.After(p.takes):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestNoMoreBeginInASecondThanAllowed(t *testing.T) {
	for name, tt := range map[string]struct {
		finds, takes, want time.Duration // between two, at least
	}{
		"quick ones":    {want: 250 * time.Millisecond},
		"slow ones":     {takes: time.Second, want: time.Second},
		"a slow source": {finds: 900 * time.Millisecond, want: 250 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			p := &pretended{letters: 21, finds: tt.finds, takes: tt.takes}
			r := &redrive{from: p, to: p, log: slog.New(slog.NewTextHandler(&log, nil)), rate: 4}
			if rep, err := r.run(t.Context()); err != nil || rep.Done != 21 {
				t.Fatal(rep, err)
			}
			for i := 1; i < len(p.begun); i++ {
				if d := p.begun[i].Sub(p.begun[i-1]); d < tt.want || tt.finds == 0 && d != tt.want {
					t.Errorf("%s: got %v between two, want %v", name, d, tt.want)
				}
			}
			if !strings.Contains(log.String(), "msg=progress done=") {
				t.Errorf("%s: got no progress:\n%s", name, &log)
			}
		})
	}
}

func TestNothingBeginsThatHasNoTimeToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pretended{letters: 100, takes: 10 * time.Second}
		r := &redrive{from: p, to: p, log: slog.New(slog.DiscardHandler), rate: 1000, spare: time.Minute}
		ctx, cancel := context.WithTimeout(t.Context(), 115*time.Second)
		defer cancel()
		rep, err := r.run(ctx)
		if err != nil || rep.Done != 6 || p.gone != 6 || !p.freed || ctx.Err() != nil {
			t.Errorf("got %+v, %v, freed %v, want 6 done within the time", rep, err, p.freed)
		}

		p = &pretended{letters: 100, takes: time.Hour}
		r.from, r.to = p, p
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		rep, err = r.run(ctx)
		if rep.Failed != 1 || p.gone != 0 || !p.freed || ctx.Err() != nil {
			t.Errorf("got %+v, %v, freed %v, want one that had no time, and a release in time", rep, err, p.freed)
		}
	})
}

func TestAFileNameIsSafe(t *testing.T) {
	names := map[string]bool{}
	long := strings.Repeat("k/", 500)
	for _, id := range []string{"059f36b4-87a3", "../../etc/passwd", "a/b", "a%2Fb", `a\b`, "a:b", long, long + "a"} {
		name := fileName(id)
		if strings.ContainsAny(name, `/\:`) || names[name] || len(name) > 255 {
			t.Errorf("%.40s: got %.300s", id, name)
		}
		names[name] = true
	}
}

// The same for a record of each source, by way of a queue and of a bucket.
func TestARecordOfEachSourceRunsAgain(t *testing.T) {
	a := newAccount(t)
	dead, away := awstest.Queue(t, a.queues, "", nil), awstest.Bucket(t, a.objects)
	for _, name := range []string{"sqs", "sqs.fifo", "kinesis", "dynamodb", "dynamodb.remove", "kafka", "kafka.self-managed"} {
		for from, sink := range map[string]batch.Sink{dead: sqsdead.New(a.queues, dead), "s3://" + away: s3dead.New(a.objects, away)} {
			var mended atomic.Bool
			var records int
			judge := func() error {
				if mended.Load() {
					records++
					return nil
				}
				return guard.Errorf(guard.Invalid, "never", "Never.")
			}
			var handler lambda.Handler
			switch kind, _, _ := strings.Cut(name, "."); guard.Trigger(kind) {
			case guard.SQS:
				handler = batch.SQS(func(context.Context, events.SQSMessage) error { return judge() }, batch.DeadLetters(sink))
			case guard.Kinesis:
				handler = batch.Kinesis(func(context.Context, events.KinesisEventRecord) error { return judge() }, batch.DeadLetters(sink))
			case guard.DynamoDB:
				handler = batch.DynamoDB(func(context.Context, events.DynamoDBEventRecord) error { return judge() }, batch.DeadLetters(sink))
			case guard.Kafka:
				handler = batch.Kafka(func(context.Context, events.KafkaRecord) error { return judge() }, batch.DeadLetters(sink))
			}
			a.answers(func(ctx context.Context, event string) (string, error) {
				answer, err := handler.Invoke(ctx, []byte(event))
				return string(answer), err
			})
			if answer, err := handler.Invoke(t.Context(), []byte(sampleOf(t, name))); err != nil {
				t.Fatalf("%s: %s, %v", name, answer, err)
			}
			want := a.count(dead) + len(awstest.Objects(t, a.objects, away))
			if want == 0 {
				t.Fatalf("%s: got no dead letter", name)
			}
			mended.Store(true)
			log := a.mustRun(0, "-from", from, "-function", "booking", "-save", a.saved)
			if records != want {
				t.Errorf("%s from %s: got %d records, want %d:\n%s", name, from, records, want, log)
			}
		}
	}
}

// A machine whose clock is ahead takes what is given up again for old, and would run
// it for as long as it is ahead.
func TestAClockThatIsAheadMakesNoLoop(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	p := awsproxy.New(t, servers.Moto(t).URL())
	t.Setenv("AWS_ENDPOINT_URL_SQS", p.URL)
	const ahead = time.Hour
	old := 5 * time.Second // is the first one; the answer has whole seconds
	stamps := regexp.MustCompile(`"SentTimestamp": ?"(\d+)"`)
	p.Meet("ReceiveMessage", func(w http.ResponseWriter, r *http.Request, body []byte) {
		reply, err := p.Forward(r, body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		reply.Body = stamps.ReplaceAllFunc(reply.Body, func(found []byte) []byte {
			ms, _ := strconv.ParseInt(string(stamps.FindSubmatch(found)[1]), 10, 64)
			return fmt.Appendf(nil, `"SentTimestamp": "%d"`, ms-(ahead+old).Milliseconds())
		})
		old = 0
		w.Header().Set("Date", time.Now().Add(-ahead).UTC().Format(http.TimeFormat))
		reply.Write(w, len(reply.Body))
	})
	a.sink(dead, nil, letter(t, "a", 0))
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	a.answers(func(ctx context.Context, _ string) (string, error) {
		if n++; n == 10 {
			cancel()
		}
		l := letter(t, "a", 0)
		l.RequestID = fmt.Sprint("again-", n)
		return "null", sqsdead.New(a.queues, dead).Send(ctx, l)
	})
	code, log := a.run(ctx, "-from", dead, "-function", "booking", "-save", a.saved)
	if n != 1 || code != 0 {
		t.Errorf("got %d runs and the exit code %d, want one:\n%s", n, code, log)
	}
}

// arriving is a source with some old letters, to which new ones come faster than they
// are taken.
type arriving struct {
	pretended
	taken int
}

func (a *arriving) next(ctx context.Context) (*entry, error) {
	if a.taken++; a.taken > 10_000 {
		return nil, errors.New("it takes new ones for ever")
	}
	if a.taken%20 == 0 && a.letters > 0 {
		return a.pretended.next(ctx)
	}
	return &entry{id: "new", since: time.Now().Add(time.Second)}, nil
}

func TestARunEndsThoughNewLettersCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arriving{pretended: pretended{letters: 50}}
		r := &redrive{from: a, to: a, log: slog.New(slog.DiscardHandler), rate: 1000}
		if rep, err := r.run(t.Context()); err != nil || rep.Done != 50 || !a.freed {
			t.Errorf("got %+v, %v, want an end after 50 old ones", rep, err)
		}
	})
}
