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

// Once lets the handler inside it run once for each key, and answers repeats
// with the first answer. See the package's comment for what that promises.
//
// An HTTP answer that [Keep] keeps is replayed byte for byte with the header
// Idempotent-Replayed: true and without Set-Cookie. An error of the caller's
// fault that a layer outside answers, as httpapi.Problems does, is kept as that
// answer. After any other error the key is released, so that a retry runs,
// unless it is unknown what was done: see [AfterTimeout].
//
// What refuses a request for its form belongs outside this layer, so that it
// uses up no key. The errors, each a [guard.Error]:
//
//	idempotency_key_missing         Invalid         see KeyFunc
//	idempotency_key_malformed       Invalid         see Header
//	idempotency_key_reused          Unprocessable   the key of another request
//	idempotency_in_progress         Conflict        try again after RetryAfter
//	idempotency_outcome_unknown     Conflict        see Refuse; or late, and the store is silent
//	idempotency_not_reconciled      Unavailable     see Reconcile
//	idempotency_lease_lost          Conflict        another attempt took over
//	idempotency_result_unavailable  Unprocessable   done before, answer not kept
//	idempotency_result_unreadable   Internal        see Reconcile
//	idempotency_store_unavailable   Unavailable     the handler was not run
//	idempotency_not_committed       Unavailable     staged writes: nothing was written
//	idempotency_commit_unknown      Unavailable     staged writes: a repeat finds out
func Once(store Store, key KeyFunc, opts ...Option) guard.Middleware {
	if key == nil {
		panic("idempotency: Once with a nil KeyFunc")
	}
	c := newConfig(store, opts)
	return layer.Named("idempotency.Once", func(next lambda.Handler) lambda.Handler {
		return &once{config: c, key: key, next: next}
	})
}

type once struct {
	*config
	key  KeyFunc
	next lambda.Handler
}

func (o *once) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ev := guard.EventOf(ctx, payload)
	_, intact := layer.SealPrincipal(ctx) // the key is that of who calls now
	asked, chosen := keys.WithRecord(ctx)
	key, err := o.key(asked, ev)
	if err == nil && key == "" {
		err = keys.Missing("The request has no idempotency key.")
	}
	if err != nil {
		if o.allowMissingKey && errors.Is(err, ErrNoKey) {
			return o.next.Invoke(unprotected(ctx), payload)
		}
		return nil, err
	}
	t := task{key: key, payload: payload}
	if t.storedKey, t.fingerprint, err = o.identify(ctx, ev, key, *chosen); err != nil {
		return nil, err
	}
	call := &invocation{once: o, task: t, intact: intact, http: answersHTTP(ev.Trigger())}
	if call.http {
		req, err := ev.Request()
		if err != nil {
			return nil, err
		}
		call.form = httpanswer.FormOf(req)
	}
	done, replay, err := o.attempt(ctx, t, call)
	switch {
	case call.err != nil:
		return call.answer, call.err
	case err != nil:
		return nil, err
	case replay:
		return call.replay(ctx, done)
	default:
		return call.answer, nil
	}
}

// identify returns the stored key and the fingerprint of a request. A record that
// the key function chose counts only if the key is the chosen one unchanged.
func (o *once) identify(ctx context.Context, ev *guard.Event, key string, chosen keys.Record) (storedKey, fingerprint string, err error) {
	isChosen := key == chosen.Key
	if storedKey = key; !isChosen {
		if storedKey, err = o.storedKey(ctx, ev, key); err != nil {
			return "", "", err
		}
	}
	switch {
	case isChosen && chosen.Fingerprint != "":
		fingerprint = chosen.Fingerprint
	case !isChosen || o.fingerprint != nil:
		fingerprint, err = o.takeFingerprint(ctx, ev)
	}
	return storedKey, fingerprint, err
}

// invocation is the handler's run, an effect.
type invocation struct {
	*once
	task
	intact func() error // nobody else was named as who calls
	http   bool
	form   httpanswer.Form // that the answer is to have

	answer []byte
	err    error
}

func (i *invocation) run(ctx context.Context) outcome {
	guard.AddAttrs(ctx, slog.String("idempotencyKey", i.storedKey))
	i.answer, i.err = i.next.Invoke(ctx, i.payload)
	if err := i.intact(); err != nil { // the answer may be for another caller
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
		if _, ok := httpanswer.Status(answer, i.form); !ok {
			i.err = unreadable(reason.New("idempotency: what Reconcile has found is no HTTP response"))
			return outcome{fate: unknown, failed: true}
		}
	}
	i.answer = answer
	return outcome{fate: keep, result: i.filtered(answer, nil)}
}

// judge decides whether an answer is one for good.
func (i *invocation) judge(answer []byte) outcome {
	status := 0
	if i.http {
		status, _ = httpanswer.Status(answer, i.form)
	}
	switch {
	case i.config.keep(status, answer):
		return outcome{fate: keep, result: i.filtered(answer, nil)}
	case status >= http.StatusInternalServerError:
		return outcome{fate: i.inDoubt(), failed: true}
	default:
		return outcome{fate: release, failed: status >= http.StatusBadRequest}
	}
}

// filtered is the form in which an answer is stored and replayed. What was
// stored may have been written by another library, and so is filtered again.
func (i *invocation) filtered(answer []byte, extra http.Header) []byte {
	if !i.http {
		return answer
	}
	return replayForm(answer, i.form, extra)
}

func (i *invocation) replay(ctx context.Context, done Record) ([]byte, error) {
	extra, err := i.replayed(ctx, done)
	if err != nil {
		return nil, err
	}
	return i.filtered(done.Result, extra), nil
}
