package guardtest

import (
	"context"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/reply"
	"github.com/lambdarmor/lambdarmor/internal/order"
)

// restoreLimit is Lambda's limit for the hooks after a restore.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-restore
const restoreLimit = 10 * time.Second

// routeRestore serves the part of the Runtime API that is for SnapStart:
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-custom.html
func (e *environment) routeRestore(mux *http.ServeMux) {
	if e.cfg.SnapStart {
		mux.HandleFunc("GET /2018-06-01/runtime/restore/next", e.serveRestoreNext)
		mux.HandleFunc("POST /2018-06-01/runtime/restore/error", e.serveRestoreError)
	}
}

// serveRestoreNext ends init. It answers when an invocation needs the process, which
// is when Lambda restores the snapshot.
func (e *environment) serveRestoreNext(w http.ResponseWriter, r *http.Request) {
	e.firstPoll()
	if e.from.take(r.Context(), e, true) == nil {
		<-r.Context().Done()
		return
	}
	w.WriteHeader(http.StatusOK)
}

// restore begins the restore for an invocation. The caller holds from.mu.
func (e *environment) restore(inv *invocation) {
	e.restoring = inv
	inv.start(restoreLimit)
	e.telemetry.RestoreStart()
}

// restored ends the restore, and returns the invocation that it was for; nil if there is
// no restore. The caller holds from.mu.
func (e *environment) restored(errorType string) (inv *invocation) {
	inv, e.restoring = e.restoring, nil
	if inv != nil {
		e.telemetry.RestoreDone(errorType)
		e.from.match()
	}
	return inv
}

// takeRestored returns the invocation that the process was restored for, nil if there
// is none or if it has failed since. Its time begins now.
func (e *environment) takeRestored() *invocation {
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	inv := e.restored("")
	if inv != nil {
		e.begin(inv)
	}
	return inv
}

// serveRestoreError fails the invocation that the process was restored for.
func (e *environment) serveRestoreError(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	e.from.mu.Lock()
	inv := e.restoring
	e.from.mu.Unlock()
	failure := reportedError(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)
	if inv == nil || !e.answered(inv.call.RequestID, answer{failure: failure}) {
		reply.Error(w, http.StatusForbidden, "InvalidStateTransition", "the process is not being restored")
		return
	}
	e.hooks.changed()
	reply.Accepted(w)
}

// Restore calls the hooks of guard.OnRestore of the handler, in their order and up to
// the first error, as guard.Start does after a restore from a snapshot. A test calls it
// between two invocations, once for each copy that Lambda would restore:
//
//	p := guardtest.NewInProcess(guard.Wrap(h, layers...), guardtest.Config{})
//	… // invoke p, then replace the secrets, keys and tokens that it has fetched
//	if err := p.Restore(ctx); err != nil {
//		t.Fatal(err)
//	}
//	… // invoke p: it must use the new ones
//
// All else in memory stays as it is, as in a copy of a snapshot. Hooks of a handler
// that stands inside another, whose layers guard does not know, are not found.
func (p *InProcess) Restore(ctx context.Context) error {
	for _, hook := range order.Hooks(p.handler, order.Restored) {
		if err := hook.Call(ctx); err != nil {
			return err
		}
	}
	return nil
}
