package guard

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/internal/order"
)

// OnRestore returns a layer whose hooks [Start] calls after the process was restored
// from a snapshot of SnapStart, and before its first invocation. Use it to drop what
// the program holds from before the snapshot, which every restored copy would share:
//
//	guard.Start(h, guard.Default(log),
//		guard.OnRestore(verifier.Forget, transport.CloseIdleConnections),
//	)
//
// Layers of this module that hold something have hooks of their own: docs/restore.md
// has the list. The layer itself passes each invocation on.
//
// The hooks of a chain are called one after the other, in the order in which they are
// listed, also those in routes. The first error ends this: Start reports it to Lambda
// by its code, logs its cause as [Log] would, and ends the process. The invocation
// that waits for it fails, and Lambda restores the next one afresh. A panic counts as
// an error.
//
// Lambda allows 10 seconds for a restore. The context ends after 8 seconds, or with the
// first error. Without SnapStart no hook is called. OnRestore panics if one is nil.
//
// The snapshot's variables are not renewed: a restored process finds its credentials
// by AWS_CONTAINER_CREDENTIALS_FULL_URI, which the AWS SDK reads by itself. See
// [Implementing SnapStart hooks for container images].
//
// [Implementing SnapStart hooks for container images]: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-custom.html
func OnRestore[F func() | func(context.Context) error](hooks ...F) Middleware {
	calls := make([]func(context.Context) error, len(hooks))
	for i, hook := range hooks {
		switch hook := any(hook).(type) {
		case func():
			if hook != nil {
				calls[i] = func(context.Context) error { hook(); return nil }
			}
		case func(context.Context) error:
			calls[i] = hook
		}
	}
	return hooked("OnRestore", order.Restored, calls)
}

// OnShutdown returns a layer whose hooks [Start] calls before Lambda ends the process:
//
//	guard.Start(h, guard.OnShutdown(tracerProvider.Shutdown), guard.Default(log))
//
// The layer itself passes each invocation on. With a hook, Start registers an internal
// extension, because Lambda sends SIGTERM only then; without one it does not. The hooks
// of a chain are called one after the other, the last listed first, as deferred calls
// are. An error or a panic is logged as the cause of [Log] would be, and the next hook
// is called. Then the process ends.
//
// Lambda kills the process 500 ms after SIGTERM. The context ends after 300 ms, for all
// hooks together, and a hook that ignores this keeps the next from being called. An
// invocation may be running meanwhile. After a timeout, a crash or too much memory Lambda may kill the
// process at once, and no hook is called: send what must not be lost with its
// invocation. OnShutdown panics if a hook is nil.
//
// See [Shutdown phase].
//
// [Shutdown phase]: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
func OnShutdown(hooks ...func(ctx context.Context) error) Middleware {
	return hooked("OnShutdown", order.Shutdown, hooks)
}

func hooked(name string, at order.Moment, calls []func(context.Context) error) Middleware {
	hooks := make([]*order.Hook, len(calls))
	for i, call := range calls {
		if call == nil {
			panic("guard: " + name + " with a nil hook")
		}
		hooks[i] = order.NewHook(at, call)
	}
	return func(next lambda.Handler) lambda.Handler {
		for i := len(hooks) - 1; i >= 0; i-- {
			next = order.WithHook(next, hooks[i])
		}
		return next
	}
}
