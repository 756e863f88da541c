package request

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Read walks over an event. The error is a [*strictjson.Error]; the request beside
// it is the same as from [Partial]. Of an event with records only the first one is
// read: it decides the trigger.
func Read(payload []byte) (*Request, error) {
	r, err := read(payload, false)
	if err != nil {
		return Partial(payload), err
	}
	return r, nil
}

// Partial reads as much as possible of a refused event. Use it to find the trigger
// and to answer, and for nothing else. Its memory is bounded: it has the first 16
// 384 headers, query values and the like.
func Partial(payload []byte) *Request {
	r, _ := read(payload, true, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return r
}

// mostPairs is more than any gateway sends: API Gateway limits headers to 10 240
// bytes, and a load balancer to 64 kB.
const mostPairs = 16 << 10

var (
	errKnown   = reason.New("request: the trigger is known, and there is no request")
	errTooMany = reason.New("request: too many pairs")
)

func read(payload []byte, partial bool, opts ...json.Options) (*Request, error) {
	w := &walk{partial: partial}
	r := &w.Request
	r.raw, r.pairs = payload, r.room[:0]
	err := strictjson.Visit(payload, w, opts...)
	switch {
	case errors.Is(err, errKnown):
		err = nil
	case errors.Is(err, errTooMany):
		err = &strictjson.Error{Code: strictjson.TooManyNodes, Reason: "more headers, parameters or cookies than a gateway sends"}
	}
	if r.trigger == "" {
		r.trigger = r.decide()
	}
	isRequest := r.trigger.IsHTTP() || r.trigger == WebSocket || r.trigger == Authorizer
	if err == nil && w.refused != nil && isRequest {
		err = w.refused
	}
	return r, err
}

// walk is the walk over an event.
type walk struct {
	Request
	dec     *jsontext.Decoder
	partial bool
	refused *strictjson.Error // if the event turns out to be a request
}

// UnmarshalJSONFrom walks over the event.
func (w *walk) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	w.dec = dec
	if dec.PeekKind() != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	return w.object(top)
}

// read reads the next value.
func (w *walk) read() (jsontext.Value, span, error) {
	value, err := w.dec.ReadValue()
	return value, w.behind(value), err
}

// behind returns the position of the last value that was read.
func (w *walk) behind(value jsontext.Value) span {
	end := int32(w.dec.InputOffset())
	return span{end - int32(len(value)), end}
}

func (w *walk) object(l level) error {
	return strictjson.Members(w.dec, func(name jsontext.Value) error {
		m, variant := find(name, l)
		if variant {
			w.refuse(strictjson.CaseVariant, "the member's name differs from a known one in case alone")
		}
		if l == top {
			if err := w.decideBy(m); err != nil {
				return err
			}
		}
		return w.value(m)
	})
}

// find returns the member of a level with the name, noMember if there is none.
// variant reports that the name differs from a member's in case alone.
func find(name jsontext.Value, l level) (m member, variant bool) {
	from, to := l.bounds()
	bare := strictjson.Unquote(name)
	for m := from; m < to; m++ {
		if string(bare) == members[m].name {
			return m, false
		}
	}
	for m := from; m < to; m++ {
		if strings.EqualFold(string(bare), members[m].name) {
			return noMember, true
		}
	}
	return noMember, false
}

// value reads the value of a member, and stores its position.
func (w *walk) value(m member) error {
	kind := w.dec.PeekKind()
	switch want := members[m]; {
	case kind == jsontext.KindNull, want.form == anything,
		want.form == text && kind == jsontext.KindString,
		want.form == flag && (kind == jsontext.KindTrue || kind == jsontext.KindFalse):
		_, at, err := w.read()
		if err == nil && kind != jsontext.KindNull {
			w.at[m] = at
		}
		return err
	case want.form == list:
		return w.strings(m, span{})
	case want.form == object && kind == jsontext.KindBeginObject:
		return w.within(m, func() error { return w.object(want.in) })
	case want.form == lines && kind == jsontext.KindBeginObject:
		return w.within(m, func() error {
			return strictjson.Members(w.dec, func(name jsontext.Value) error { return w.strings(m, w.behind(name)) })
		})
	default:
		w.refuse(strictjson.WrongType, "must be "+want.form.String())
		return w.dec.SkipValue()
	}
}

// within walks over an object, and stores its position, also if it has no end.
func (w *walk) within(m member, walk func() error) error {
	start := w.dec.InputOffset()
	for w.raw[start] != '{' { // past the colon
		start++
	}
	w.at[m] = span{int32(start), int32(start) + 1}
	err := walk()
	if err == nil {
		w.at[m].end = int32(w.dec.InputOffset())
	}
	return err
}

// strings reads a string, or a list of strings, as pairs with a name.
func (w *walk) strings(m member, name span) error {
	if w.dec.PeekKind() != jsontext.KindBeginArray {
		return w.string(m, name)
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	for w.dec.PeekKind() != jsontext.KindEndArray {
		if err := w.string(m, name); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

func (w *walk) string(m member, name span) error {
	if k := w.dec.PeekKind(); k != jsontext.KindString && k != jsontext.KindNull {
		w.refuse(strictjson.WrongType, "must be a string")
	}
	value, at, err := w.read()
	switch {
	case err != nil:
		return err
	case len(w.pairs) < mostPairs:
		if value.Kind() == jsontext.KindString || name.end > 0 {
			w.pairs = append(w.pairs, pair{m, name, at})
		}
	case !w.partial:
		return errTooMany
	}
	return nil
}

// decideBy ends the walk at a member that decides the trigger by itself.
func (w *walk) decideBy(m member) error {
	switch m {
	case records:
		return w.firstRecord()
	case eventSource:
		value, _, err := w.read()
		if err != nil {
			return err
		}
		w.trigger = triggerOf(plainText(value))
	case deliveryStreamARN:
		w.trigger = Firehose
	case awsLogs:
		w.trigger = CloudWatchLogs
	case triggerSource, identityPoolID:
		w.trigger = Cognito
	default:
		return nil
	}
	return errKnown
}

// firstRecord looks for the source of the first record.
func (w *walk) firstRecord() error {
	w.trigger = Unknown
	if w.dec.PeekKind() != jsontext.KindBeginArray {
		return errKnown
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	if w.dec.PeekKind() != jsontext.KindBeginObject {
		return errKnown
	}
	err := strictjson.Members(w.dec, func(name jsontext.Value) error {
		if string(name) != `"eventSource"` && string(name) != `"EventSource"` {
			return w.dec.SkipValue()
		}
		value, _, err := w.read()
		if err != nil {
			return err
		}
		w.trigger = triggerOf(plainText(value))
		return errKnown
	})
	if err != nil {
		return err
	}
	return errKnown
}

// refuse notes the first error.
func (w *walk) refuse(code strictjson.Code, reason string) {
	if w.refused == nil {
		w.refused = &strictjson.Error{Code: code, Reason: reason, Pointer: strictjson.ShortPointer(string(w.dec.StackPointer()))}
	}
}
