package idempotency

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	httpanswer "github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Once runs the handler inside it once for each key, and answers repeats with the
// first answer. For the guarantees see the package comment.
//
// HTTP answers that [Keep] keeps are replayed byte for byte, with the header
// Idempotent-Replayed: true and without Set-Cookie. So is an error whose
// kind is a client error, if an outer layer answers it, as httpapi.Problems does.
// After any other error the key is released and a retry runs, unless the outcome
// is unknown, see [AfterTimeout].
//
// List layers that refuse malformed requests before Once, so that such a request
// uses up no key. The errors, each a [guard.Error]:
//
//	idempotency_key_missing         Invalid         see KeyFunc
//	idempotency_key_malformed       Invalid         see Header
//	idempotency_key_reused          Unprocessable   the key was used for another request
//	idempotency_in_progress         Conflict        try again after RetryAfter
//	idempotency_outcome_unknown     Conflict        see Refuse; or the lease ended and the store is silent
//	idempotency_not_reconciled      Unavailable     see Reconcile
//	idempotency_lease_lost          Conflict        another attempt took over
//	idempotency_result_unavailable  Unprocessable   done before, and the answer is not stored
//	idempotency_result_unreadable   Internal        see Reconcile
//	idempotency_store_unavailable   Unavailable     the handler did not run
//	idempotency_not_committed       Unavailable     staged writes: nothing was written
//	idempotency_commit_unknown      Unavailable     staged writes: a repeat finds out
func Once(store Store, key KeyFunc, opts ...Option) guard.Middleware {
	if key == nil {
		panic("idempotency: Once with a nil KeyFunc")
	}
	c := newConfig(store, opts)
	var restored guard.Middleware
	if c.local != nil {
		restored = guard.OnRestore(c.local.forget)
	}
	return guard.Chain(restored, layer.Named("idempotency.Once", func(next lambda.Handler) lambda.Handler {
		return &once{config: c, key: key, next: next}
	}))
}

type once struct {
	*config
	key  KeyFunc
	next lambda.Handler
}

func (o *once) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ev := guard.EventOf(ctx, payload)
	_, principalUnchanged := layer.SealPrincipal(ctx) // the key is for the caller known now
	inner, chosen := keys.WithRecord(ctx)
	key, err := o.key(inner, ev)
	if err == nil && key == "" {
		err = keys.Missing("The request has no idempotency key.")
	}
	switch {
	case o.allowMissingKey && errors.Is(err, ErrNoKey):
		return o.next.Invoke(unprotected(ctx), payload)
	case err != nil:
		return nil, err
	}
	t := task{key: key, payload: payload}
	if t.storedKey, t.fingerprint, err = o.identify(ctx, ev, key, *chosen); err != nil {
		return nil, err
	}
	i := &invocation{once: o, task: t, principalUnchanged: principalUnchanged, http: ev.Trigger().IsHTTP()}
	if i.http {
		req, err := ev.Request()
		if err != nil {
			return nil, err
		}
		i.form = httpanswer.FormOf(req)
	}
	done, err := o.attempt(ctx, t, i)
	switch {
	case i.err != nil:
		return i.answer, i.err
	case err != nil:
		return nil, err
	case done == nil:
		return i.answer, nil
	}
	extra, err := o.beforeReplay(ctx, *done)
	if err != nil {
		return nil, err
	}
	// Another library may have written the result, so that it is filtered again.
	return i.filtered(done.Result, extra), nil
}

// identify returns the stored key and the fingerprint of a request.
func (o *once) identify(ctx context.Context, ev *guard.Event, key string, chosen keys.Record) (storedKey, fingerprint string, err error) {
	if key == chosen.Key { // and not changed by a function around the one that chose it
		if chosen.Fingerprint != "" || o.fingerprint == nil {
			return chosen.Key, chosen.Fingerprint, nil
		}
		storedKey = key
	} else if storedKey, err = o.storedKey(ctx, ev, key); err != nil {
		return "", "", err
	}
	fingerprint, err = o.takeFingerprint(ctx, ev)
	return storedKey, fingerprint, err
}

// invocation is one run of the handler, an effect.
type invocation struct {
	*once
	task
	principalUnchanged func() error
	http               bool
	form               httpanswer.Form // of the answer

	answer []byte
	err    error
}

func (i *invocation) run(ctx context.Context) outcome {
	guard.AddAttrs(ctx, slog.String("idempotencyKey", i.storedKey))
	i.answer, i.err = i.next.Invoke(ctx, i.payload)
	if err := i.principalUnchanged(); err != nil { // the answer may be for another caller
		i.answer, i.err = nil, err
		return outcome{fate: release, failed: true}
	}
	if i.err == nil {
		return i.judge(i.answer)
	}
	o := outcome{fate: i.afterError(ctx, i.err)}
	if i.http && guard.KindOf(i.err).IsClientError() && !errors.Is(i.err, ErrOutcomeUnknown) {
		if answer, ok := layer.Render(ctx, i.err); ok {
			if judged := i.judge(answer); judged.fate == keep {
				o = judged
			}
		}
	}
	o.failed = true
	return o
}

func (i *invocation) adopt(answer []byte) outcome {
	if i.http {
		if _, ok := httpanswer.Status(answer, i.form); !ok || answer[0] != '{' {
			i.err = unreadable(reason.New("idempotency: Reconcile returned no HTTP response"))
			return outcome{fate: unknown, failed: true}
		}
	}
	i.answer = answer
	return outcome{fate: keep, result: i.filtered(answer, nil)}
}

// judge returns the fate of the key by the handler's answer.
func (i *invocation) judge(answer []byte) outcome {
	status := 0
	if i.http {
		status, _ = httpanswer.Status(answer, i.form)
	}
	switch {
	case i.keep(status, answer):
		return outcome{fate: keep, result: i.filtered(answer, nil)}
	case status >= http.StatusInternalServerError:
		return outcome{fate: i.inDoubt(), failed: true}
	default:
		return outcome{fate: release, failed: status >= http.StatusBadRequest}
	}
}

// filtered returns the form in which an answer is stored and replayed.
func (i *invocation) filtered(answer []byte, extra http.Header) []byte {
	if !i.http {
		return answer
	}
	return replayForm(answer, i.form, extra)
}
