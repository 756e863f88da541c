package secondline_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// fail fails in the way of an invocation.
func fail(ctx context.Context) error {
	switch wayOf(ctx) {
	case "error":
		return errors.New("hunter2")
	case "panic":
		panic("hunter2")
	case "timeout":
		<-ctx.Done()
		return ctx.Err()
	case "refusal":
		return guard.Errorf(guard.Unprocessable, "sold_out", "It is sold out.")
	default:
		return nil
	}
}

var ways = []string{"ok", "error", "panic", "timeout", "refusal"}

// each fails in one record of a batch, and in all with "all …".
func each[R batch.Record](ctx context.Context, _ R) error {
	r, _ := batch.RecordFrom(ctx)
	way := wayOf(ctx)
	if rest, all := strings.CutPrefix(way, "all "); all || strings.HasSuffix(r.ID, "1") {
		if all {
			way = rest
		}
		switch way {
		case "error":
			return errors.New("hunter2")
		case "panic":
			panic("hunter2")
		case "timeout":
			<-ctx.Done()
		case "refusal":
			return guard.Errorf(guard.Unprocessable, "sold_out", "It is sold out.")
		}
	}
	return nil
}

func check(ctx context.Context, _ *authorizer.Request) (*authorizer.Grant, error) {
	if wayOf(ctx) == "refusal" {
		return nil, guard.Errorf(guard.Unauthenticated, "token_unknown", "")
	}
	return &authorizer.Grant{Principal: "alice"}, fail(ctx)
}

// functions are what a test can run in a process of its own.
var functions = map[string]func(){
	"http": func() {
		httpapi.Start(httpapi.Func(func(ctx context.Context, _ any) (any, error) { return nil, fail(ctx) }), logging.New(os.Stdout), endEarly)
	},
	"direct": func() {
		guard.Start(guard.Func(func(ctx context.Context, _ any) (any, error) { return nil, fail(ctx) }), guard.Default(logging.New(os.Stdout)), endEarly)
	},
	"simple": func() { guard.Start(authorizer.Simple(check), guard.Default(logging.New(os.Stdout)), endEarly) },
	"policy": func() {
		guard.Start(authorizer.Policy(check, authorizer.Uncached()), guard.Default(logging.New(os.Stdout)), endEarly)
	},
	"appsync": func() { guard.Start(authorizer.AppSync(check), guard.Default(logging.New(os.Stdout)), endEarly) },
	"sqs": func() {
		guard.Start(batch.SQS(each[events.SQSMessage], patience...), guard.Default(logging.New(os.Stdout)), endEarly)
	},
	"kinesis": func() {
		guard.Start(batch.Kinesis(each[events.KinesisEventRecord], patience...), guard.Default(logging.New(os.Stdout)), endEarly)
	},
	"dynamodb": func() {
		guard.Start(batch.DynamoDB(each[events.DynamoDBEventRecord], patience...), guard.Default(logging.New(os.Stdout)), endEarly)
	},
	"kafka": func() {
		guard.Start(batch.Kafka(each[events.KafkaRecord], patience...), guard.Default(logging.New(os.Stdout)), endEarly)
	},
}

// endEarly leaves much of the time of an invocation, so that a machine that is slow for a
// while does not end it.
var endEarly = guard.Deadline(6 * time.Second)

// patience has records start with little time, and a batch fail whose records all do.
var patience = []batch.Option{batch.Reserve(0), batch.FailWhenAllFail(), batch.Concurrency(4)}

// functionOf returns the function for a sample.
func functionOf(name string, e sample.Event) string {
	trigger, variant, _ := strings.Cut(name, "/")
	switch guard.Trigger(trigger) {
	case guard.HTTPAPI, guard.FunctionURL, guard.REST, guard.VPCLattice, guard.ALB:
		return "http"
	case guard.SQS, guard.Kinesis, guard.DynamoDB, guard.Kafka:
		return trigger
	case guard.Authorizer:
		switch variant {
		case "":
			return "simple"
		case "appsync":
			return "appsync"
		}
		return "policy"
	default:
		return "direct"
	}
}

// For each trigger and each way to fail there is one record, and nothing else about
// the invocation: no line of the runtime client.
//
// SECURITY: Nothing leaks.
func TestEachTriggerAndEachWayIsOneRecord(t *testing.T) {
	calls := map[string][]call{}
	add := func(function string, c call) {
		c.name = strings.NewReplacer("/", ".", " ", "-").Replace(c.name) // it is part of a path
		calls[function] = append(calls[function], c)
	}
	for name, event := range sample.All() {
		function := functionOf(name, event)
		tried := slices.Clone(ways)
		if function == "sqs" || function == "kinesis" || function == "dynamodb" || function == "kafka" {
			event = event.Repeat(3)
			tried = append(tried, "all error", "all panic", "all timeout", "all refusal")
		}
		for _, way := range tried {
			add(function, call{name: name + " " + way, way: way, payload: event.Bytes()})
		}
	}
	for name, payload := range map[string]string{"an object": `{"a":1}`, "null": `null`, "no JSON": `{`, "nothing": ``, "a name twice": `{"a":1,"a":2}`} {
		for _, way := range ways {
			for _, function := range []string{"direct", "http", "sqs", "simple"} { // for the last three it is a refusal
				add(function, call{name: name + " " + way, way: way, payload: []byte(payload)})
			}
		}
	}
	if len(calls) != len(functions) {
		t.Errorf("got calls of %d functions, want them of %d", len(calls), len(functions))
	}
	var mu sync.Mutex
	all := map[string]printed{}
	var wg sync.WaitGroup
	for function, calls := range calls {
		wg.Go(func() { // at once, as each waits for its timeouts
			p := run(t, function, 64, calls)
			mu.Lock()
			defer mu.Unlock()
			all[function] = p
		})
	}
	wg.Wait()
	for function, p := range all {
		t.Run(function, func(t *testing.T) {
			p.mustRecord(t, calls[function])
			if len(p.rest) > 0 {
				t.Errorf("got %q, want nothing else", p.rest)
			}
		})
	}
}
