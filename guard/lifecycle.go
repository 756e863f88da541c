package guard

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/internal/lambdaapi"
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
	if order.SnapStart() && !restore(order.Hooks(h, order.Restored)) {
		os.Exit(1)
	}
	lambda.Start(ready)
}

// restore returns when the process was restored from its snapshot and the hooks were
// called. The first request ends init, and Lambda answers it after the restore. ok is
// false after a failure, which is logged and reported.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func restore(hooks []*order.Hook) (ok bool) {
	const path = "/2018-06-01/runtime/restore/"
	api, err := lambdaapi.New("AWS_LAMBDA_RUNTIME_API")
	if err == nil {
		_, _, err = api.Do(context.Background(), http.MethodGet, path+"next", nil, nil)
	}
	if err != nil {
		log.Printf("guard: the process was not restored: %s", describe(err))
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), restoreTime)
	defer cancel()
	for _, hook := range hooks {
		err := callHook(ctx, hook)
		if err == nil {
			continue
		}
		log.Printf("guard: a hook of OnRestore has failed: %s", describe(err)) // first, as Lambda may end the process
		body, _ := json.Marshal(invokeError(ctx, err))                         // nothing but what a caller may read
		header := http.Header{"Content-Type": {"application/json"}, "Lambda-Runtime-Function-Error-Type": {"Runtime.AfterRestoreError"}}
		if _, _, err := api.Do(context.Background(), http.MethodPost, path+"error", header, body); err != nil {
			log.Printf("guard: the error was not reported: %s", describe(err))
		}
		return false
	}
	return true
}

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
	text := Describe(err)
	if p := panicOf(err); p != nil {
		text += "\n" + string(p.Stack())
	}
	return text
}
