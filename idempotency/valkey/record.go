package valkey

import (
	"fmt"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/valkey-io/valkey-go"
)

// record parses the answer of the claim script. A record that this package did not
// write is an error, not a free key.
func record(key string, answer []valkey.ValkeyMessage) (idempotency.Record, error) {
	if len(answer) != 8 {
		return idempotency.Record{}, fmt.Errorf("%d fields", len(answer))
	}
	over, err := answer[0].AsInt64()
	if err != nil {
		return idempotency.Record{}, err
	}
	f := fields{}
	r := idempotency.Record{
		Key:         key,
		Status:      idempotency.Status(f.text("status", answer[1])),
		Owner:       f.owner(answer[2], over == 1),
		Epoch:       f.number("epoch", answer[3]),
		Fingerprint: f.text("fingerprint", answer[4]),
		Lease:       time.UnixMilli(f.number("lease", answer[5])),
		Expires:     time.UnixMilli(f.number("expires", answer[6])),
	}
	switch {
	case f.err != nil:
		return idempotency.Record{}, f.err
	case r.Status == idempotency.Completed:
		if r.NoResult = answer[7].IsNil(); !r.NoResult {
			r.Result = []byte(f.text("result", answer[7]))
		}
		return r, f.err
	case r.Status != idempotency.InProgress:
		return idempotency.Record{}, fmt.Errorf("status is %q", r.Status)
	case over == 1:
		r.Status = idempotency.Abandoned
	}
	return r, nil
}

// fields reads the fields of a record, and keeps the first error.
type fields struct{ err error }

func (f *fields) text(name string, m valkey.ValkeyMessage) string {
	text, err := m.ToString()
	if err != nil {
		if valkey.IsValkeyNil(err) {
			err = reason.New("not there")
		}
		f.fail(name, err)
	}
	return text
}

// owner may be missing if the record was released.
func (f *fields) owner(m valkey.ValkeyMessage, over bool) string {
	if over && m.IsNil() {
		return ""
	}
	return f.text("owner", m)
}

func (f *fields) number(name string, m valkey.ValkeyMessage) int64 {
	text := f.text(name, m)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f.fail(name, reason.New("not a number"))
	}
	return n
}

func (f *fields) fail(name string, err error) {
	if f.err == nil {
		f.err = fmt.Errorf("%s: %w", name, err)
	}
}
