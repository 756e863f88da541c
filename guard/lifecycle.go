package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/internal/order"
)

const (
	// restoreTime is the time of all hooks of [OnRestore]: of Lambda's 10 s, it
	// leaves what loading the snapshot and reporting an error may take.
	restoreTime = 8 * time.Second
	// shutdownTime is the time of all hooks of [OnShutdown], of Lambda's 500 ms.
	shutdownTime = 300 * time.Millisecond
)

// run starts the Lambda runtime with h, and calls its hooks. It never returns.
func run(h lambda.Handler) {
	var opts []lambda.Option
	if hooks := order.Hooks(h, order.Shutdown); len(hooks) > 0 {
		opts = append(opts, lambda.WithEnableSIGTERM(func() {
			shutDown(hooks)
			os.Exit(0)
		}))
	}
	// This registers the internal extension, which must be done before the snapshot.
	ready := lambda.NewHandlerWithOptions(h, opts...)
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" && order.SnapStart() {
		if err := restore("http://"+api+"/2018-06-01/runtime/restore/", order.Hooks(h, order.Restored)); err != nil {
			log.Fatalf("guard: the process was not restored: %s", describe(err))
		}
	}
	lambda.Start(ready)
}

// restore returns when the process was restored from its snapshot and the hooks were
// called. The first request ends init, and Lambda answers it after the restore.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func restore(api string, hooks []*order.Hook) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy
	next, err := http.NewRequest(http.MethodGet, api+"next", nil)
	if err == nil {
		err = exchange(client, next, http.StatusOK)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), restoreTime)
	defer cancel()
	for _, hook := range hooks {
		if err := callHook(ctx, hook); err != nil {
			report(client, api+"error", err)
			return err
		}
	}
	return nil
}

// report tells Lambda that a hook has failed, with nothing but what a caller may read.
func report(client *http.Client, url string, failure error) {
	body, _ := json.Marshal(invokeError(context.Background(), failure)) // has texts alone
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Lambda-Runtime-Function-Error-Type", "Runtime.AfterRestoreError")
		err = exchange(client, req, http.StatusAccepted)
	}
	if err != nil {
		log.Printf("guard: the error of a hook was not reported: %s", describe(err))
	}
}

func exchange(client *http.Client, req *http.Request, want int) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != want {
		return fmt.Errorf("%w: %w", Reason("the Runtime API has refused "+req.URL.Path), statusError(res.StatusCode))
	}
	return nil
}

// statusError is an answer with an unexpected status.
type statusError int

func (e statusError) Error() string       { return fmt.Sprintf("status %d", int(e)) }
func (e statusError) HTTPStatusCode() int { return int(e) }

// shutDown calls all hooks.
func shutDown(hooks []*order.Hook) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	for _, hook := range hooks {
		if err := callHook(ctx, hook); err != nil {
			log.Printf("guard: a hook of OnShutdown has failed: %s", describe(err))
		}
	}
}

// callHook calls a hook. A panic is an error.
func callHook(ctx context.Context, hook *order.Hook) (err error) {
	returned := false
	defer func() {
		if value := recover(); !returned { // the value of a panic can be nil
			err = panicked(value)
		}
	}()
	err = hook.Call(ctx)
	askFor(err)
	returned = true
	return err
}

// describe returns the cause of an error as [Log] records it, with the stack of a
// panic.
func describe(err error) string {
	d := describer{known: standardErrors(), left: mostErrors}
	text := d.chain(err)
	if p := panicOf(err); p != nil {
		text += "\n" + string(p.Stack())
	}
	return text
}
