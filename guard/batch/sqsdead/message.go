package sqsdead

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/s3pointer"
)

var (
	errTooLarge = reason.New("the letter is larger than a message, and there is no store for it")
	errNoRoom   = reason.New("the attributes of the letter are larger than a message")
	errText     = reason.New("the record is not JSON in UTF-8")
)

// A form is a body with its attributes.
type form struct {
	body       string
	attributes map[string]types.MessageAttributeValue
}

// size is what SQS counts: the body, and of each attribute name, type and value.
func (f form) size() int {
	n := len(f.body)
	for name, a := range f.attributes {
		n += len(name) + len(*a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

// input returns the message of a letter, in the first of its forms that fits.
func (s *Sink) input(ctx context.Context, letter batch.DeadLetter) (*sqs.SendMessageInput, error) {
	if !utf8.Valid(letter.Record) || !json.Valid(letter.Record) {
		return nil, errText
	}
	for _, f := range s.forms(letter, 0) {
		if f.size() <= s.max {
			return s.address(letter, f), nil
		}
	}
	if s.large == nil {
		return nil, errTooLarge
	}
	for _, f := range s.forms(letter, 1) {
		if _, away := pointerMark(f.attributes); away {
			continue // a pointer to a pointer is understood by nobody
		}
		bucket, key, err := s.large.Store(ctx, []byte(f.body))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", guard.Reason("store the payload"), err)
		}
		f.attributes[s3pointer.Attribute] = number(len(f.body))
		f.body = s3pointer.Pointer{Bucket: bucket, Key: key}.String()
		if f.size() <= s.max {
			return s.address(letter, f), nil
		}
	}
	return nil, errNoRoom
}

// forms are the message that the record was, if SQS takes that, and its JSON. So
// many attributes are left free.
func (s *Sink) forms(letter batch.DeadLetter, free int) []form {
	asJSON := form{body: escaped(string(letter.Record)), attributes: own(letter)}
	asJSON.attributes[recordName] = text(string(letter.Trigger))
	message, ok := messageOf(letter)
	if !ok {
		return []form{asJSON}
	}
	asItWas := form{body: message.Body, attributes: own(letter)}
	rest := restOf(message)
	if s.fifo {
		rest.Group = ""
	}
	rest.addTo(asItWas.attributes, free)
	return []form{asItWas, asJSON}
}

// messageOf returns the record as a message of a queue, if it is one whose body SQS
// takes.
func messageOf(letter batch.DeadLetter) (message events.SQSMessage, ok bool) {
	if letter.Trigger != guard.SQS || json.Unmarshal(letter.Record, &message) != nil {
		return message, false
	}
	return message, message.Body != "" && !strings.ContainsFunc(message.Body, refused)
}

// refused reports whether SQS refuses a character: it takes those of XML 1.0,
// https://www.w3.org/TR/xml/#charsets
func refused(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// escaped replaces in a JSON text the characters that SQS refuses and JSON allows.
func escaped(text string) string {
	return strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`).Replace(text)
}

func text(value string) types.MessageAttributeValue {
	kind := "String"
	return types.MessageAttributeValue{DataType: &kind, StringValue: &value}
}

func number(n int) types.MessageAttributeValue {
	a := text(strconv.Itoa(n))
	kind := "Number"
	a.DataType = &kind
	return a
}

// own are the attributes that each letter has.
func own(letter batch.DeadLetter) map[string]types.MessageAttributeValue {
	if letter.ID == "" {
		letter.ID = digest(string(letter.Record)) // no record has none, but a letter is known by its id
	}
	attributes := map[string]types.MessageAttributeValue{}
	for name, value := range map[string]string{
		codeName: letter.Code, detailName: letter.Detail, requestName: letter.RequestID,
		sourceName: letter.Source, idName: letter.ID,
		firstName: stamp(letter.FirstFailure), lastName: stamp(letter.LastFailure),
	} {
		if value != "" {
			attributes[name] = text(shown(value))
		}
	}
	if letter.Attempts > 0 {
		attributes[attemptsName] = number(letter.Attempts)
	}
	return attributes
}

func shown(value string) string {
	return strings.Map(func(r rune) rune {
		if refused(r) {
			return utf8.RuneError
		}
		return r
	}, value)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// address adds where a message goes.
func (s *Sink) address(letter batch.DeadLetter, f form) *sqs.SendMessageInput {
	in := &sqs.SendMessageInput{QueueUrl: &s.url, MessageBody: &f.body, MessageAttributes: f.attributes}
	if s.fifo {
		group, id := groupOf(letter), digest(letter.Source, letter.ID, letter.RequestID)
		in.MessageGroupId, in.MessageDeduplicationId = &group, &id
	}
	return in
}

// groupOf returns the letter's group, or that of its source, in the form that a
// message group has: 1 to 128 printable characters of ASCII.
func groupOf(letter batch.DeadLetter) string {
	group := letter.Group
	if group == "" {
		group = groupOfSource(letter.Source)
	}
	if len(group) > 128 || strings.ContainsFunc(group, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return digest(group)
	}
	return group
}

func groupOfSource(source string) string {
	if source == "" {
		return "unknown"
	}
	return source
}

// digest returns 64 hexadecimal digits.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
