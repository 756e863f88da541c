package idempotency

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// replayHeader marks an answer that was given before.
const replayHeader = "Idempotent-Replayed"

// replayForm returns an HTTP answer as it is replayed: without cookies, which
// were made for the first caller's session, and with the header that marks it and
// those of extra, but for cookies and what is malformed. Without extra it changes
// nothing in what it has returned. What the gateway refuses it is to refuse again.
func replayForm(out []byte, form answer.Form, extra http.Header) []byte {
	res, err := answer.Read(out, form)
	if err != nil {
		return out
	}
	res.Cookies = nil
	mark := strings.ToLower(replayHeader)
	res.Del(mark)
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		var add []answer.Field
		for _, value := range extra[name] {
			if f := (answer.Field{Name: strings.ToLower(name), Value: value}); f.Valid() {
				add = append(add, f)
			}
		}
		if len(add) == 0 || add[0].Name == "set-cookie" || add[0].Name == mark || answer.Unsendable(add[0].Name) {
			continue
		}
		res.Del(add[0].Name)
		res.Fields = append(res.Fields, add...)
	}
	res.Fields = append(res.Fields, answer.Field{Name: replayHeader, Value: "true"})
	replay, err := res.Encode(form)
	if err != nil {
		return out
	}
	return replay
}
