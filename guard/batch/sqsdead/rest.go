package sqsdead

import (
	"cmp"
	"encoding/json"
	"maps"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/lambdarmor/lambdarmor/internal/s3pointer"
)

// maxAttributes is how many SQS allows.
const maxAttributes = 10

// prefix begins the names of the attributes that are of this package.
const prefix = "lambdarmor."

const (
	codeName     = prefix + "code"
	detailName   = prefix + "detail"
	requestName  = prefix + "requestId"
	sourceName   = prefix + "source"
	idName       = prefix + "id"
	firstName    = prefix + "firstFailure"
	lastName     = prefix + "lastFailure"
	attemptsName = prefix + "attempts"
	recordName   = prefix + "record"
	messageName  = prefix + "message"
)

// rest is what a message has beside its body, and lambdarmor.message if it is
// packed.
type rest struct {
	Group      string                                `json:"messageGroupId,omitempty"`
	Attributes map[string]events.SQSMessageAttribute `json:"messageAttributes,omitempty"`
}

// restOf returns the rest of a message, without what an earlier dead letter has
// added. The sender may have packed a message, too: no name of this package is taken
// from there, for such a name would change what the letter says.
func restOf(message events.SQSMessage) rest {
	var packed rest
	if a := message.MessageAttributes[messageName]; a.StringValue != nil && json.Unmarshal([]byte(*a.StringValue), &packed) != nil {
		packed = rest{}
	}
	r := rest{
		Group:      cmp.Or(message.Attributes["MessageGroupId"], packed.Group),
		Attributes: map[string]events.SQSMessageAttribute{},
	}
	maps.Copy(r.Attributes, packed.Attributes)
	maps.Copy(r.Attributes, message.MessageAttributes)
	maps.DeleteFunc(r.Attributes, func(name string, _ events.SQSMessageAttribute) bool { return strings.HasPrefix(name, prefix) })
	return r
}

// addTo adds the rest to the attributes of a letter: each attribute as it was if all
// can be, otherwise packed. It leaves so many places free. What marks the body as a
// pointer is never packed: the body would not be understood without it.
func (r rest) addTo(attributes map[string]types.MessageAttributeValue, free int) {
	room := maxAttributes - len(attributes) - free
	if r.Group != "" {
		room--
	}
	plain, ok := converted(r.Attributes)
	if ok && len(plain) <= room {
		maps.Copy(attributes, plain)
		r.Attributes = nil
	}
	if mark, ok := pointerMark(plain); ok && r.Attributes != nil {
		attributes[mark] = plain[mark]
		r.Attributes = maps.Clone(r.Attributes)
		delete(r.Attributes, mark)
	}
	if r.Group == "" && len(r.Attributes) == 0 {
		return
	}
	packed, err := json.Marshal(r)
	if err != nil { // strings, bytes and lists of them have a JSON text
		panic("sqsdead: " + err.Error())
	}
	attributes[messageName] = text(escaped(string(packed)))
}

// pointerMark returns the attribute that says that the body is a pointer.
func pointerMark(attributes map[string]types.MessageAttributeValue) (name string, ok bool) {
	for _, name := range []string{s3pointer.Attribute, s3pointer.OldAttribute} {
		if _, ok := attributes[name]; ok {
			return name, true
		}
	}
	return "", false
}

// converted returns the attributes as they are sent. It is false if one cannot be
// sent, as that of a forged event.
func converted(attributes map[string]events.SQSMessageAttribute) (sent map[string]types.MessageAttributeValue, ok bool) {
	sent, ok = map[string]types.MessageAttributeValue{}, true
	for name, a := range attributes {
		kind, _, _ := strings.Cut(a.DataType, ".")
		switch {
		case name == "" || strings.ContainsFunc(a.DataType, refused):
			ok = false
		case (kind == "String" || kind == "Number") && a.StringValue != nil && *a.StringValue != "" && !strings.ContainsFunc(*a.StringValue, refused):
			sent[name] = types.MessageAttributeValue{DataType: &a.DataType, StringValue: a.StringValue}
		case kind == "Binary" && len(a.BinaryValue) > 0:
			sent[name] = types.MessageAttributeValue{DataType: &a.DataType, BinaryValue: a.BinaryValue}
		default:
			ok = false
		}
	}
	return sent, ok
}
