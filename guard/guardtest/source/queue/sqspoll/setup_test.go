package sqspoll_test

import (
	"context"
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue/sqspoll"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var _ sqspoll.Client = (*sqs.Client)(nil)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

const patient = 2 * time.Minute

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	t.Cleanup(cancel)
	return ctx
}

// A realQueue is one of moto.
type realQueue struct {
	*sqs.Client
	url, arn string
}

func newQueue(t *testing.T, suffix string, attributes map[string]string) realQueue {
	t.Helper()
	q := realQueue{Client: sqs.NewFromConfig(awstest.Config(servers.Moto(t).URL()))}
	name := rand.Text() + suffix
	created, err := q.CreateQueue(within(t), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	q.url = *created.QueueUrl
	q.arn = q.attribute(t, "QueueArn")
	return q
}
