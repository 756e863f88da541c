package dynamo_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// line is the HTTP client of a process. It says which operation a request is of,
// and sends nothing once that is dead.
type line struct{ client *http.Client }

const operationHeader = "X-Attack-Operation"

var errDead = errors.New("the process is dead")

func (l line) Do(r *http.Request) (*http.Response, error) {
	if op := of(r.Context()); op != nil {
		if op.isDead() {
			return nil, errDead
		}
		r.Header.Set(operationHeader, op.id)
	}
	return l.client.Do(r)
}

func (o *operation) isDead() bool {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	return o.dead
}

// kill ends the process of an operation: nothing that it would do after that
// happens, and nobody is told anything.
func (o *operation) kill(where string) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	if !o.dead {
		o.dead = true
		o.world.saw("killed")
		o.world.note(o, "is killed %s", where)
	}
}

// request is one that is on its way.
type request struct {
	*operation
	step string
	r    *http.Request
	body []byte
}

// meet draws what becomes of a request.
func (a *attack) meet(rw http.ResponseWriter, r *http.Request, body []byte) {
	op, ok := a.byID.Load(r.Header.Get(operationHeader))
	if !ok { // nobody waits any more
		abort()
	}
	q := &request{operation: op.(*operation), step: awsproxy.Operation(r), r: r, body: body}
	happen := q.fault()
	if happen == nil {
		happen = (*request).answer
	}
	happen(q, rw)
}

// fault is something that happens to a request, in so many of a hundred.
type fault struct {
	name   string
	share  int
	happen func(q *request, rw http.ResponseWriter)
}

func faults() []fault {
	return []fault{
		{name: "lost", share: 3, happen: func(q *request, _ http.ResponseWriter) {
			_, _ = q.send()
			abort()
		}},
		{name: "dropped", share: 1, happen: func(*request, http.ResponseWriter) { abort() }},
		{name: "late", share: 3, happen: func(q *request, _ http.ResponseWriter) {
			q.hold()
			abort()
		}},
		{name: "repeated", share: 3, happen: func(q *request, rw http.ResponseWriter) {
			q.hold()
			q.answer(rw)
		}},
		{name: "twice", share: 1, happen: func(q *request, rw http.ResponseWriter) {
			_, _ = q.send()
			q.renew()
			q.answer(rw)
		}},
		{name: "slow", share: 2, happen: func(q *request, rw http.ResponseWriter) {
			time.Sleep(q.between(0, 5*maxSkew))
			q.answer(rw)
		}},
		{name: "answered slowly", share: 1, happen: func(q *request, rw http.ResponseWriter) {
			reply := q.mustSend()
			time.Sleep(q.between(0, 5*maxSkew))
			reply.Write(rw, len(reply.Body))
		}},
		{name: "answered by half", share: 1, happen: func(q *request, rw http.ResponseWriter) {
			reply := q.mustSend()
			reply.Write(rw, len(reply.Body)/2)
			abort()
		}},
		{name: "throttled", share: 1, happen: func(q *request, rw http.ResponseWriter) {
			refuse(rw, http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
		}},
		{name: "failed", share: 1, happen: func(q *request, rw http.ResponseWriter) {
			refuse(rw, http.StatusInternalServerError, "InternalServerError", "internal")
		}},
		{name: "done and failed", share: 1, happen: func(q *request, rw http.ResponseWriter) {
			_, _ = q.send()
			refuse(rw, http.StatusInternalServerError, "InternalServerError", "internal")
		}},
		{name: "the last before it is killed", share: 2, happen: func(q *request, _ http.ResponseWriter) {
			_, _ = q.send()
			q.kill("after its " + q.step)
			abort()
		}},
		{name: "one that it is killed before", share: 1, happen: func(q *request, _ http.ResponseWriter) {
			q.kill("before its " + q.step)
			abort()
		}},
	}
}

func abort() { panic(http.ErrAbortHandler) }

// fault draws one, mostly none. To one to which the store is silent only the
// first three happen, and always.
func (q *request) fault() func(*request, http.ResponseWriter) {
	w := q.world
	w.mu.Lock()
	calm, silent := w.calm || q.last, q.silent && q.begun
	w.mu.Unlock()
	all, n := faults(), q.roll(100)
	if silent {
		all, n = all[:3], n%7
	}
	for _, f := range all {
		if n -= f.share; n < 0 && !calm {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.note(q.operation, "its %s is %s", q.step, f.name)
			w.saw(f.name + " " + q.step)
			return f.happen
		}
	}
	return nil
}

// answer has the server take the request and answer it.
func (q *request) answer(rw http.ResponseWriter) {
	reply := q.mustSend()
	reply.Write(rw, len(reply.Body))
}

func (q *request) mustSend() awsproxy.Reply {
	reply, err := q.send()
	if err != nil {
		abort()
	}
	return reply
}

// send has the server take it.
func (q *request) send() (awsproxy.Reply, error) {
	w := q.world
	if q.step == "DeleteItem" || q.step == "UpdateItem" && !bytes.Contains(q.body, []byte(`"COMPLETED"`)) {
		w.mu.Lock()
		q.released = true
		w.saw("released")
		w.mu.Unlock()
	}
	return w.flaw.send(q)
}

// hold keeps a copy of the request, which arrives later. The server does not
// know the token of a commit any more by then.
func (q *request) hold() {
	late := &request{operation: q.operation, step: q.step, r: q.r.Clone(context.Background()), body: q.body}
	late.renew()
	w := q.world
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letters = append(w.letters, func() {
		w.mu.Lock()
		w.note(late.operation, "its %s arrives late", late.step)
		if late.step == "PutItem" {
			late.lateClaim = true
		}
		w.mu.Unlock()
		_, _ = late.send()
	})
}

func (q *request) renew() {
	if q.step == "TransactWriteItems" {
		q.body = renewed(q.body)
	}
}

// arrive lets a request that is late arrive, and reports whether there is one.
func (w *world) arrive() bool {
	w.mu.Lock()
	if len(w.letters) == 0 {
		w.mu.Unlock()
		return false
	}
	i := w.dice.IntN(len(w.letters))
	letter := w.letters[i]
	w.letters = append(w.letters[:i], w.letters[i+1:]...)
	w.mu.Unlock()
	letter()
	return true
}
