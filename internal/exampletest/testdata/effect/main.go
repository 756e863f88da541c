// Command effect is a function with an effect: a line in the file EFFECTS. Its
// first attempt is killed after the effect and before its answer.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

type result struct {
	Attempt int `json:"attempt"`
}

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	keys := dynamo.New(dynamodb.NewFromConfig(cfg), os.Getenv("IDEMPOTENCY_TABLE"))
	guard.Start(httpapi.Func(effect),
		guard.Log(logging.New(os.Stdout)),
		httpapi.Problems(),
		guard.Recover(),
		idempotency.Once(keys, idempotency.Header("Idempotency-Key"),
			idempotency.Skew(time.Second), policy()),
	)
}

func policy() idempotency.Option {
	switch name := os.Getenv("POLICY"); name {
	case "rerun":
		return idempotency.AfterTimeout(idempotency.Rerun)
	case "refuse":
		return idempotency.AfterTimeout(idempotency.Refuse)
	case "reconcile":
		return idempotency.Reconcile(func(context.Context, idempotency.Unfinished) (json.RawMessage, bool, error) {
			n, err := effects()
			answer := fmt.Sprintf(`{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"attempt\":%d}"}`, n)
			return []byte(answer), n > 0, err
		})
	default:
		panic("POLICY is " + name)
	}
}

func effect(context.Context, struct{}) (result, error) {
	file, err := os.OpenFile(os.Getenv("EFFECTS"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return result{}, err
	}
	defer file.Close()
	if _, err := file.WriteString("effect\n"); err != nil {
		return result{}, err
	}
	n, err := effects()
	if n == 1 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal is there
	}
	return result{Attempt: n}, err
}

func effects() (int, error) {
	text, err := os.ReadFile(os.Getenv("EFFECTS"))
	return bytes.Count(text, []byte("\n")), err
}
