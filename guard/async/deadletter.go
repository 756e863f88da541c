package async

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// DeadLetter sends an event that can never succeed to sink, with the reason. The
// invocation then succeeds without an answer, so that Lambda does not try again. Its
// record in the log has the error, and deadLettered. If the sink fails, the error is
// returned, and joined with the sink's: Lambda tries again, and in the end sends the event
// to its own dead-letter queue. A sink may get an event more than once: equal
// letters have equal IDs.
//
// The letter's Record is the whole event. Its ID and Source are the message id and the
// topic of SNS, the id of an EventBridge event and the rule of a scheduled one, and the
// bucket of S3. An event without an id has the request id, which Lambda keeps in all
// tries.
//
// An event of a service that reads the answer, such as API Gateway, SQS or Kinesis,
// never goes to the sink: its error is returned. A direct invocation does, and one of
// SES, because an event does not show whether its client waits. Do not use DeadLetter
// for a function whose clients read its errors.
//
// It panics if sink is nil.
func DeadLetter(sink batch.Sink) guard.Middleware {
	if sink == nil {
		panic("async: DeadLetter with a nil sink")
	}
	return layer.Named("async.DeadLetter", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			if err == nil || guard.KindOf(err).Retryable() {
				return out, err
			}
			ev := guard.EventOf(ctx, payload)
			if !isAsync(ev.Trigger()) {
				return out, err
			}
			if failed := sink.Send(ctx, letterOf(ctx, ev, err)); failed != nil {
				return nil, fmt.Errorf("%w; the sink: %w", err, failed)
			}
			layer.SetError(ctx, err)
			guard.AddAttrs(ctx, slog.Bool("deadLettered", true))
			return nil, nil
		})
	})
}

// isAsync reports whether a service invokes functions asynchronously, and for direct
// invocations whether that may be.
func isAsync(t guard.Trigger) bool {
	switch t {
	case guard.Unknown, guard.S3, guard.SNS, guard.SES, guard.EventBridge, guard.CloudWatchLogs, guard.CodeCommit:
		return true
	default:
		return false
	}
}

func letterOf(ctx context.Context, ev *guard.Event, err error) batch.DeadLetter {
	now := time.Now().UTC().Round(0)
	public := guard.Public(err)
	letter := batch.DeadLetter{
		Trigger: ev.Trigger(), Record: json.RawMessage(bytes.Clone(ev.Raw())),
		Code: public.Code, Detail: public.Detail,
		FirstFailure: now, LastFailure: now,
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		letter.ID, letter.RequestID, letter.FunctionARN = lc.AwsRequestID, lc.AwsRequestID, lc.InvokedFunctionArn
	}
	tree, _ := ev.Tree() // an event that is not strict JSON has no more than the request id
	id := ""
	switch ev.Trigger() {
	case guard.SNS:
		id, letter.Source = text(tree, "Records", "Sns", "MessageId"), text(tree, "Records", "Sns", "TopicArn")
	case guard.EventBridge:
		id = text(tree, "id")
		if rule := text(tree, "resources"); strings.Contains(rule, ":rule/") {
			letter.Source = rule
		}
	case guard.S3:
		letter.Source = text(tree, "Records", "s3", "bucket", "arn")
	}
	if id != "" {
		letter.ID = id
	}
	return letter
}

// text returns the string at a path, and of arrays on it the only element. It is empty if
// there is none.
func text(tree any, path ...string) string {
	for {
		if list, ok := tree.([]any); ok && len(list) == 1 {
			tree = list[0]
		}
		if len(path) == 0 {
			s, _ := tree.(string)
			return s
		}
		object, _ := tree.(map[string]any)
		tree, path = object[path[0]], path[1:]
	}
}
