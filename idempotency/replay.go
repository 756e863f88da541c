package idempotency

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
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
	layer.Count(ctx, layer.Replays, 1)
	if c.onReplay != nil {
		extra = make(http.Header)
		c.onReplay(ctx, done, extra)
	}
	return extra, nil
}

// replayForm returns an HTTP answer as it is stored and replayed: with the replay
// header, and with the headers of extra that can be sent. Cookies are removed, as
// they belong to the first caller's session. A malformed answer stays as it is, so
// that the gateway refuses it again. Without extra, applying replayForm a second
// time changes nothing.
func replayForm(out []byte, form answer.Form, extra http.Header) []byte {
	res, err := answer.Read(out, form)
	if err != nil {
		return out
	}
	res.Cookies = nil
	mark := strings.ToLower(replayHeader)
	res.Del(mark)
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		lower := strings.ToLower(name)
		if lower == "set-cookie" || lower == mark || answer.Unsendable(lower) {
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
	replay, err := res.Encode(form)
	if err != nil {
		return out
	}
	return replay
}
