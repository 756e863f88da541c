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

// meet is what becomes of a request.
func (a *attack) meet(rw http.ResponseWriter, r *http.Request, body []byte) {
	v, ok := a.byID.Load(r.Header.Get(operationHeader))
	if !ok { // nobody waits any more
		panic(http.ErrAbortHandler)
	}
	op := v.(*operation)
	q := &request{operation: op, step: awsproxy.Operation(r), r: r, body: body}
	fault := q.fault()
	switch fault {
	case "":
		q.answer(rw)
	case "killed before":
		op.kill("before its " + q.step)
	case "killed after":
		_, _ = q.send()
		op.kill("after its " + q.step)
	case "lost":
		_, _ = q.send()
	case "dropped":
	case "late":
		q.hold()
	case "repeated":
		q.hold()
		q.answer(rw)
	case "twice":
		_, _ = q.send()
		q.renew()
		q.answer(rw)
	case "slow":
		time.Sleep(op.between(0, 150*time.Millisecond))
		q.answer(rw)
	case "slowly answered":
		reply, err := q.send()
		time.Sleep(op.between(0, 150*time.Millisecond))
		if err == nil {
			reply.Write(rw, len(reply.Body))
			return
		}
	case "torn":
		if reply, err := q.send(); err == nil {
			reply.Write(rw, len(reply.Body)/2)
		}
		panic(http.ErrAbortHandler)
	case "throttled":
		throttleAll(nil, rw, r, body)
		return
	case "failed":
		failInternal(nil, rw, r, body)
		return
	case "failed after":
		_, _ = q.send()
		failInternal(nil, rw, r, body)
		return
	}
	if !q.answered {
		panic(http.ErrAbortHandler)
	}
}

// request is one that is on its way.
type request struct {
	*operation
	step     string
	r        *http.Request
	body     []byte
	answered bool
}

// fault draws what becomes of it.
func (q *request) fault() string {
	w := q.world
	w.mu.Lock()
	calm, silent := w.calm || q.last, q.silent && q.begun
	w.mu.Unlock()
	if calm {
		return ""
	}
	fault := ""
	if silent {
		fault = [...]string{"lost", "dropped", "late"}[q.roll(3)]
	} else {
		switch n := q.roll(100); n {
		case 0:
			fault = "killed before"
		case 1, 2:
			fault = "killed after"
		case 3, 4, 5:
			fault = "lost"
		case 6:
			fault = "dropped"
		case 7, 8, 9:
			fault = "late"
		case 10, 11, 12:
			fault = "repeated"
		case 13:
			fault = "twice"
		case 14, 15:
			fault = "slow"
		case 16:
			fault = "slowly answered"
		case 17:
			fault = "torn"
		case 18:
			fault = "throttled"
		case 19:
			fault = "failed"
		case 20:
			fault = "failed after"
		}
	}
	if fault != "" {
		w.say(q.operation, "its %s is %s", q.step, fault)
		w.mu.Lock()
		w.saw(fault + " " + q.step)
		w.mu.Unlock()
	}
	return fault
}

// answer has the server take the request and answer it.
func (q *request) answer(rw http.ResponseWriter) {
	reply, err := q.send()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	q.answered = true
	reply.Write(rw, len(reply.Body))
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
