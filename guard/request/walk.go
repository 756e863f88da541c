package request

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Read walks over an event. The error is a [*strictjson.Error]; beside it the
// request is that of [Partial]. An event with records is not read beyond its
// first one, as that tells the trigger.
func Read(payload []byte) (*Request, error) { return read(payload, false) }

// Partial reads what it can of an event that was refused: to tell its trigger
// and to answer it, and for nothing else. It takes no memory by what is in the
// event: of headers and the like it has the first 16 384.
func Partial(payload []byte) *Request {
	r, _ := read(payload, true, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return r
}

// mostPairs is more than any gateway sends: the headers of an API have 10 240
// bytes, those of a load balancer 64 kB.
const mostPairs = 16 << 10

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
	if err == nil && w.refused != nil && r.isRequest() {
		err = w.refused
	}
	return r, err
}

// span is where a value stands in the event; the zero value is nowhere.
type span struct{ start, end int32 }

// pair is a header line, a value of a query, a cookie, and so on.
type pair struct {
	of          member
	name, value span
}

type walk struct {
	Request
	dec     *jsontext.Decoder
	partial bool
	refused *strictjson.Error // where the event is a request
}

// errKnown ends the walk once the trigger is known and there is no request.
var errKnown = reason.New("request: the trigger is known")

// errTooMany ends the walk at more pairs than there can be.
var errTooMany = reason.New("request: too many pairs")

// UnmarshalJSONFrom walks over the event.
func (w *walk) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	w.dec = dec
	if dec.PeekKind() != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	return w.object(top)
}

// read reads the next value, or name.
func (w *walk) read() (jsontext.Value, span, error) {
	value, err := w.dec.ReadValue()
	return value, w.behind(value), err
}

// behind returns where a value stands that was read just now.
func (w *walk) behind(value jsontext.Value) span {
	end := int32(w.dec.InputOffset())
	return span{end - int32(len(value)), end}
}

func (w *walk) object(l level) error {
	return w.members(func(name jsontext.Value, _ span) error {
		m, variant := find(name, l)
		if variant {
			w.refuse(strictjson.CaseVariant, "the member's name differs from a known one in case alone")
		}
		if l == top {
			if err := w.deciding(m); err != nil {
				return err
			}
		}
		return w.value(m)
	})
}

// members walks over the members of an object; each has to read the value.
func (w *walk) members(each func(name jsontext.Value, at span) error) error {
	return strictjson.Members(w.dec, func(name jsontext.Value) error { return each(name, w.behind(name)) })
}

// find returns the member of a level that has a name, noMember where there is
// none; variant reports that its spelling is not quite that of one.
func find(name jsontext.Value, l level) (m member, variant bool) {
	from, to := l.between()
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

// value reads the value of a member, and notes where it stands.
func (w *walk) value(m member) error {
	kind := w.dec.PeekKind()
	switch want := members[m]; {
	case kind == jsontext.KindNull || want.form == anything:
	case want.form == object && kind == jsontext.KindBeginObject:
		w.at[m] = span{0, 1} // it is there; its members are what is asked for
		return w.object(want.in)
	case want.form == lines && kind == jsontext.KindBeginObject:
		w.at[m] = span{0, 1}
		return w.members(func(_ jsontext.Value, name span) error { return w.strings(m, name) })
	case want.form == list:
		return w.strings(m, span{})
	case want.form == text && kind == jsontext.KindString:
	case want.form == flag && (kind == jsontext.KindTrue || kind == jsontext.KindFalse):
	default:
		w.mismatch(want.form)
		return w.dec.SkipValue()
	}
	_, at, err := w.read()
	if err == nil && kind != jsontext.KindNull {
		w.at[m] = at
	}
	return err
}

// strings reads a string, or a list of them, as pairs with a name.
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
		w.mismatch(text)
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

// deciding ends the walk at a member that tells the trigger by itself.
func (w *walk) deciding(m member) error {
	switch m {
	case records:
		return w.firstRecord()
	case eventSource:
		value, _, err := w.read()
		if err != nil {
			return err
		}
		w.trigger = brokerSource(plainText(value))
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
	err := w.members(func(name jsontext.Value, _ span) error {
		if string(name) != `"eventSource"` && string(name) != `"EventSource"` {
			return w.dec.SkipValue()
		}
		value, _, err := w.read()
		if err != nil {
			return err
		}
		w.trigger = recordSource(plainText(value))
		return errKnown
	})
	if err != nil {
		return err
	}
	return errKnown
}

func (w *walk) mismatch(want form) {
	reason := "must be a string"
	switch want {
	case object, lines:
		reason = "must be an object"
	case list:
		reason = "must be an array"
	case flag:
		reason = "must be a boolean"
	}
	w.refuse(strictjson.WrongType, reason)
}

// refuse notes the first thing that a request must not have.
func (w *walk) refuse(code strictjson.Code, reason string) {
	if w.refused == nil {
		w.refused = &strictjson.Error{
			Code: code, Reason: reason,
			Pointer: strictjson.ShortPointer(string(w.dec.StackPointer())),
		}
	}
}

// plainText returns what stands between the quotes of a string.
func plainText(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	return value[1 : len(value)-1]
}

// unquote returns what a string stands for, "" for what is none. The walk has
// checked its form.
func unquote(value []byte) string { return string(strictjson.Unquote(value)) }
