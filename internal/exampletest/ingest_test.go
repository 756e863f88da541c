package exampletest_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

func TestTheCommandOfIngestsREADMEWorks(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../examples/ingest/README.md")
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(strings.TrimPrefix(command(t, string(readme), "go run ./guard/local -event"), "go run ./guard/local "))
	cmd := exec.CommandContext(t.Context(), built.of(t, "guard/local"), args...)
	cmd.Dir = "../.."
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if answer := strings.TrimSpace(string(out)); err != nil || !strings.Contains(string(readme), "`"+answer+"`") || answer == "" {
		t.Errorf("got %s and %v, which the README does not say", out, err)
	}
}

// The permission, the tries and the filter are as the README says.
func TestTheTemplateOfIngest(t *testing.T) {
	resources := resourcesOf(t, "ingest")
	permission := resources["MayInvoke"].Properties
	if got := decode[struct {
		Principal string `yaml:"Principal"`
		SourceARN string `yaml:"SourceArn"`
	}](t, &permission); got.Principal != "sns.amazonaws.com" || got.SourceARN != "PurchasesTopic" {
		t.Errorf("the permission is %+v", got)
	}
	tries := resources["Tries"].Properties
	got := decode[struct {
		MaximumRetryAttempts     int `yaml:"MaximumRetryAttempts"`
		MaximumEventAgeInSeconds int `yaml:"MaximumEventAgeInSeconds"`
		DestinationConfig        struct {
			OnFailure struct {
				Destination string `yaml:"Destination"`
			} `yaml:"OnFailure"`
		} `yaml:"DestinationConfig"`
	}](t, &tries)
	if got.MaximumRetryAttempts != 2 || got.MaximumEventAgeInSeconds != 3600 || got.DestinationConfig.OnFailure.Destination != "Kept.Arn" {
		t.Errorf("the tries are %+v", got)
	}
	subscription := resources["Subscription"].Properties
	policy := decode[struct {
		FilterPolicy map[string]any `yaml:"FilterPolicy"`
	}](t, &subscription).FilterPolicy
	text, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	// What SNS and EventBridge say of exact values is the same.
	filter := pattern.MustParse(string(text))
	for message, want := range map[string]bool{`{"type":"purchase.completed","id":"p-1"}`: true, `{"type":"purchase.cancelled"}`: false, `{}`: false} {
		if matched, err := filter.Match([]byte(message)); matched != want || err != nil {
			t.Errorf("%s: got %t and %v, want %t", message, matched, err, want)
		}
	}
}

// Both functions of ingest as they are deployed, with DynamoDB, SQS and S3: purchases
// that SNS delivers twice and that Sales publishes twice, some of them none, behind
// Lambda's asynchronous invocation.
func TestIngestBooksEachPurchaseOnceOrKeepsIt(t *testing.T) {
	t.Parallel()
	c := connect(t)
	moto := servers.Moto(t).URL()
	queues, buckets := awstest.SQS(moto), awstest.S3(moto)
	points, keys := "points-"+rand.Text(), "keys-"+rand.Text()
	c.makeTable(t, points)
	c.makeTable(t, keys)
	dead, bucket := awstest.Queue(t, queues, "", nil), awstest.Bucket(t, buckets)
	env := append(c.env, "AWS_ENDPOINT_URL_SQS="+moto, "AWS_ENDPOINT_URL_S3="+moto)
	fn := guardtest.Start(t, built.of(t, "examples/ingest"), guardtest.Config{
		Region: "eu-central-1", Concurrency: 8, Timeout: 25 * time.Second, InitTimeout: patient,
		Env: append(env, "POINTS_TABLE="+points, "IDEMPOTENCY_TABLE="+keys, "DEAD_LETTERS_URL="+dead),
	})

	clock := source.NewClock(time.Now())
	lambdas := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
	purchases := async.New(fn, async.Config{Concurrency: 8, DeadLetters: lambdas.Target(), Clock: clock})
	const good, bad = 30, 5
	for i := range good + bad {
		message := fmt.Sprintf(`{"type":"purchase.completed","id":"p-%d","customer":"c-42","cents":%d}`, i, i*100)
		if i >= good {
			message = strings.Replace(message, "c-42", "", 1)
		}
		for published := range 2 {
			event := sample.Of(guard.SNS).Set("/Records/0/Sns/Message", message).Set("/Records/0/Sns/MessageId", fmt.Sprintf("m-%d-%d", i, published))
			id, err := purchases.Invoke(event.Bytes())
			if err == nil {
				err = purchases.Duplicate(id)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := purchases.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := purchases.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if got := purchases.Ledger().Counts(); got.Done != 2*(good+bad) || len(lambdas.Messages()) != 0 {
		t.Errorf("got %+v and %d dead letters of Lambda, want all done", got, len(lambdas.Messages()))
	}
	booked := map[string]string{}
	for _, item := range c.items(t, points) {
		booked[item["id"].(*types.AttributeValueMemberS).Value] = item["points"].(*types.AttributeValueMemberN).Value
	}
	for i := range good {
		if id := fmt.Sprint("p-", i); booked[id] != fmt.Sprint(i) {
			t.Errorf("%s has %q points, want %d", id, booked[id], i)
		}
	}
	if len(booked) != good {
		t.Errorf("%d purchases are booked, want %d", len(booked), good)
	}

	// The listener keeps each letter once: every copy of a bad event made one.
	keeper := guardtest.Start(t, built.of(t, "examples/ingest/listener"), guardtest.Config{
		Region: "eu-central-1", Timeout: 25 * time.Second, InitTimeout: patient, Env: append(env, "KEPT_BUCKET="+bucket),
	})
	letters := map[string]bool{}
	for received := awstest.Receive(t, queues, dead); len(received) > 0; received = awstest.Receive(t, queues, dead) {
		for _, m := range received {
			if code := m.MessageAttributes["lambdarmor.code"].StringValue; code == nil || *code != "bad_purchase" {
				t.Errorf("a letter has the attributes %v", m.MessageAttributes)
			}
			event := sample.Of(guard.SQS).Messages(*m.Body).Set("/Records/0/messageId", *m.MessageId)
			for range 2 { // SQS may deliver it twice
				if out, err := keeper.Invoke(t.Context(), event.Bytes()); err != nil || string(out.Payload) != `{"batchItemFailures":[]}` {
					t.Fatalf("got %s and %v", out.Payload, err)
				}
			}
			letters[*m.MessageId] = true
		}
	}
	if kept := awstest.Objects(t, buckets, bucket); len(letters) != 4*bad || len(kept) != 4*bad {
		t.Errorf("%d letters and %d objects, want %d of each", len(letters), len(kept), 4*bad)
	}
}

// The processes of ingest are killed at random behind Lambda's retries, and what Lambda
// gives up is run again, as a person would: in the end each purchase is booked once, and
// what can never be booked is with its reason in the queue.
func TestIngestLosesNothingWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	const purchases, kills = 400, 60
	c := connect(t)
	moto := servers.Moto(t).URL()
	queues := queueClient(moto)
	points, keys, queue := "points-"+rand.Text(), "keys-"+rand.Text(), awstest.Queue(t, queues, "", nil)
	c.makeTable(t, points)
	c.makeTable(t, keys)
	r := newReaper(t, servers.DynamoDB(t).URL(), kills, purchases)
	proxy := httptest.NewServer(r)
	t.Cleanup(proxy.Close)
	var log tail
	fn := guardtest.Start(t, r.script(t, built.of(t, "examples/ingest")), guardtest.Config{
		Instances: 4, Timeout: 2 * time.Second, InitTimeout: patient, Memory: 512, Log: &log,
		Env: append(c.env, "POINTS_TABLE="+points, "IDEMPOTENCY_TABLE="+keys, "DEAD_LETTERS_URL="+queue,
			"AWS_ENDPOINT_URL_DYNAMODB="+proxy.URL, "AWS_ENDPOINT_URL_SQS="+moto),
	})

	var mu sync.Mutex
	var dead []string // events that Lambda has given up
	lambda := async.New(fn, async.Config{Concurrency: 4, DeadLetters: source.To("arn:aws:sqs:us-east-1:123456789012:dead", func(l source.Letter) error {
		mu.Lock()
		defer mu.Unlock()
		dead = append(dead, l.Body)
		return nil
	})})
	poison := map[string]bool{}
	for i := range purchases {
		message := fmt.Sprintf(`{"type":"purchase.completed","id":"p-%d","customer":"c-42","cents":100}`, i)
		for published := range 2 {
			id := fmt.Sprintf("m-%d-%d", i, published)
			if i%20 == 0 {
				message = "no purchase"
				poison[id] = true
			}
			dead = append(dead, string(sample.Of(guard.SNS).Set("/Records/0/Sns/Message", message).Set("/Records/0/Sns/MessageId", id).Bytes()))
		}
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	rounds, redriven := 0, -len(dead)
	for limit := time.After(patient); len(dead) > 0; rounds++ {
		select {
		case <-again.C: // the key of a purchase whose process was killed is held for a while
		case <-limit:
			t.Fatalf("%d events are dead still; the function wrote\n%s", len(dead), log.String())
		}
		events := dead
		dead = nil
		redriven += len(events)
		for _, event := range events {
			if _, err := lambda.Invoke([]byte(event)); err != nil {
				t.Fatal(err)
			}
		}
		if err := lambda.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := lambda.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if r.killed != kills {
		t.Errorf("%d kills, want %d", r.killed, kills)
	}
	booked := map[string]int{}
	for _, item := range c.all(t, points) {
		booked[item["id"].(*types.AttributeValueMemberS).Value]++
	}
	if want := purchases - len(poison)/2; len(booked) != want {
		t.Errorf("%d purchases are booked, want %d", len(booked), want)
	}
	buried := letters(t, queues, queue)
	for id := range poison {
		if buried[id] != "malformed_json" {
			t.Errorf("the letter of %s says %q", id, buried[id])
		}
	}
	if len(buried) != len(poison) {
		t.Errorf("%d letters, want %d", len(buried), len(poison))
	}
	counts := lambda.Ledger().Counts()
	t.Logf("%d kills, %d deliveries, %d events run again in %d rounds, %d booked, %d letters", r.killed, counts.Deliveries, redriven, rounds, len(booked), len(buried))
}
