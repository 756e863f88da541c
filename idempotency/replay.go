package idempotency

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// replayHeader marks a replayed answer.
const replayHeader = "Idempotent-Replayed"

// beforeReplay calls OnReplay, which may add headers. It refuses the replay of an
// answer that is not stored.
func (c *config) beforeReplay(ctx context.Context, done Record) (extra http.Header, err error) {
	if done.NoResult {
		return nil, resultUnavailable()
	}
	guard.AddAttrs(ctx, slog.String("idempotencyKey", done.Key), slog.Bool("idempotentReplayed", true))
	if c.onReplay != nil {
		extra = make(http.Header)
		c.onReplay(ctx, done, extra)
	}
	return extra, nil
}

// stored returns an answer as it is stored: in replay form, with white space at its
// end that says which. A malformed answer stays as it is.
func stored(out []byte, form answer.Form) []byte {
	replay, ok := replayForm(out, form, nil)
	if !ok {
		return bytes.TrimRight(out, " \t")
	}
	return append(replay, mark(form)...)
}

// replayed returns a stored answer with the headers of extra. Without such a mark
// it is filtered again, as another library may have written it.
func replayed(out []byte, form answer.Form, extra http.Header) []byte {
	if replay, ok := bytes.CutSuffix(out, []byte(mark(form))); ok && len(extra) == 0 {
		return replay
	}
	replay, _ := replayForm(out, form, extra)
	return replay
}

// mark ends an answer in replay form. JSON allows it, and no library writes it.
// Forms that differ in replay form have different marks.
func mark(form answer.Form) string {
	if form == answer.Format1 || form == answer.Lists {
		return "\t "
	}
	return " \t"
}

// replayForm returns an HTTP answer in the form in which it is replayed: with the
// replay header, without cookies, which belong to the first caller's session, and
// with the headers of extra that can be sent. It returns a malformed answer as it
// is and false, so that the gateway refuses it again. Without extra, applying
// replayForm a second time changes nothing.
func replayForm(out []byte, form answer.Form, extra http.Header) (replay []byte, ok bool) {
	res, err := answer.Read(out, form)
	if err != nil {
		return out, false
	}
	res.Cookies = nil
	lowerReplay := strings.ToLower(replayHeader)
	res.Del(lowerReplay)
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		lower := strings.ToLower(name)
		if lower == "set-cookie" || lower == lowerReplay || answer.Unsendable(lower) {
			continue
		}
		var add []answer.Field
		for _, value := range extra[name] {
			if f := (answer.Field{Name: lower, Value: value}); f.Valid() {
				add = append(add, f)
			}
		}
		if len(add) > 0 {
			res.Del(lower)
			res.Fields = append(res.Fields, add...)
		}
	}
	res.Fields = append(res.Fields, answer.Field{Name: replayHeader, Value: "true"})
	if replay, err = res.Encode(form); err != nil {
		return out, false
	}
	return replay, true
}
