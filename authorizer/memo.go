package authorizer

import "sync"

// memo keeps what a credential was found to be, for one decision: [Policy] asks a check
// about many routes, and the credential is the same.
type memo struct{ answers sync.Map }

type answer struct {
	grant *Grant
	err   error
}

// once returns the answer that find has returned for the key before, if there is one.
func (r *Request) once(key any, find func() (*Grant, error)) (*Grant, error) {
	if a, ok := r.memo.answers.Load(key); ok {
		return a.(answer).grant, a.(answer).err
	}
	g, err := find()
	r.memo.answers.Store(key, answer{g, err})
	return g, err
}
