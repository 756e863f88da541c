package sqsdead_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
)

// memory is a store.
type memory map[string][]byte

func (m memory) Store(_ context.Context, payload []byte) (bucket, key string, err error) {
	key = fmt.Sprint(len(m))
	m[key] = bytes.Clone(payload)
	return "payloads", key, nil
}

// source makes letters with everything that a queue, or a forger, can put into them.
type source struct{ *rand.Rand }

func (s source) text(most int) string {
	const alphabet = "abc{}\"\\<&>\n\t\x00\x1f\x7fäß€\uFFFD\uFFFE\uFFFF\U0001F600"
	runes := []rune(alphabet)
	if s.IntN(2) == 0 {
		runes = runes[:12] // what SQS takes
	}
	var b strings.Builder
	for range s.IntN(most + 1) {
		b.WriteRune(runes[s.IntN(len(runes))])
	}
	return b.String()
}

func (s source) attribute() events.SQSMessageAttribute {
	value := s.text(40)
	switch s.IntN(5) {
	case 0:
		return events.SQSMessageAttribute{DataType: "Binary.x", BinaryValue: []byte(value)}
	case 1:
		return events.SQSMessageAttribute{DataType: "Number", StringValue: aws.String("7")}
	case 2:
		return events.SQSMessageAttribute{DataType: "List", StringListValues: []string{value}}
	default:
		return events.SQSMessageAttribute{DataType: "String", StringValue: &value}
	}
}

func (s source) letter(t *testing.T) (batch.DeadLetter, events.SQSMessage) {
	m := events.SQSMessage{
		MessageId: "m-1", Body: s.text(s.IntN(1200)), EventSource: "aws:sqs", EventSourceARN: orders,
		Attributes: map[string]string{}, MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	for i := range s.IntN(13) {
		m.MessageAttributes[fmt.Sprint("a", i)] = s.attribute()
	}
	if s.IntN(8) == 0 {
		m.MessageAttributes["ExtendedPayloadSize"] = events.SQSMessageAttribute{DataType: "Number", StringValue: aws.String("7")}
	}
	if s.IntN(8) == 0 {
		m.MessageAttributes["lambdarmor.record"] = s.attribute()
	}
	l := letter(nil)
	if s.IntN(2) == 0 {
		m.Attributes["MessageGroupId"], l.Group = "g-1", "g-1"
	}
	l.Detail = s.text(40)
	var err error
	if l.Record, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return l, m
}

// With anything in a letter, what is sent is what SQS takes, and says the same.
func TestAnyLetterIsSentAsSQSTakesIt(t *testing.T) {
	s := source{rand.New(rand.NewPCG(1, 2))}
	forms := map[string]int{}
	for i := range 5000 {
		l, original := s.letter(t)
		url, most, store := []string{standard, fifo}[s.IntN(2)], 1024+s.IntN(3000), memory{}
		var client sent
		if err := sqsdead.New(&client, url, sqsdead.MaxBytes(most), sqsdead.Large(store)).Send(t.Context(), l); err != nil {
			t.Fatalf("letter %d: %v", i, err)
		}
		if size := legal(t, client.in); size > most || len(client.in.MessageAttributes) > 10 {
			t.Fatalf("letter %d: got %d bytes and %d attributes, want %d and 10", i, size, len(client.in.MessageAttributes), most)
		}

		m := types.Message{Body: client.in.MessageBody, MessageAttributes: client.in.MessageAttributes, Attributes: map[string]string{}}
		if client.in.MessageGroupId != nil {
			m.Attributes["MessageGroupId"] = *client.in.MessageGroupId
		}
		form := "as it was"
		if len(store) > 0 { // as package largemessage does
			form += ", away"
			var parts [2]struct{ S3Key string }
			_ = json.Unmarshal([]byte(*m.Body), &[]any{new(string), &parts[1]})
			m.Body = aws.String(string(store[parts[1].S3Key]))
			delete(m.MessageAttributes, "ExtendedPayloadSize")
		}
		if _, whole := m.MessageAttributes["lambdarmor.record"]; whole {
			form = strings.Replace(form, "as it was", "as JSON", 1)
		}
		forms[form]++
		got, ok, err := sqsdead.Letter(m)
		if !ok || err != nil || got.Trigger != guard.SQS || got.ID != l.ID || got.Source != l.Source || got.Code != l.Code {
			t.Fatalf("letter %d: got %+v, %v, %v", i, got, ok, err)
		}
		var back events.SQSMessage
		if err := json.Unmarshal(got.Record, &back); err != nil {
			t.Fatal(err)
		}
		for name, a := range original.MessageAttributes {
			if x, has := back.MessageAttributes[name]; !strings.HasPrefix(name, "lambdarmor.") && (!has || fmt.Sprint(aws.ToString(x.StringValue), x.BinaryValue, x.DataType) != fmt.Sprint(aws.ToString(a.StringValue), a.BinaryValue, a.DataType)) {
				t.Fatalf("letter %d, %s: got %+v for %+v", i, name, x, a)
			}
		}
		if back.Body != original.Body || back.Attributes["MessageGroupId"] != original.Attributes["MessageGroupId"] {
			t.Fatalf("letter %d: got %q of %q, want %q of %q", i, back.Body, back.Attributes["MessageGroupId"], original.Body, original.Attributes["MessageGroupId"])
		}
	}
	if len(forms) != 4 {
		t.Errorf("got the forms %v, want four: as it was and as JSON, each in the message and away", forms)
	}
}

// legal checks a message as SQS does, and returns its size.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func legal(t *testing.T, in *sqs.SendMessageInput) (size int) {
	t.Helper()
	texts := []string{*in.MessageBody}
	for name, a := range in.MessageAttributes {
		size += len(name) + len(*a.DataType) + len(a.BinaryValue)
		switch {
		case strings.HasPrefix(*a.DataType, "Binary"):
			if len(a.BinaryValue) == 0 || a.StringValue != nil {
				t.Fatalf("%s: got %+v", name, a)
			}
		case strings.HasPrefix(*a.DataType, "String"), strings.HasPrefix(*a.DataType, "Number"):
			texts = append(texts, *a.StringValue)
		default:
			t.Fatalf("%s: got the type %s", name, *a.DataType)
		}
	}
	for _, text := range texts {
		size += len(text)
		if text == "" || strings.ContainsFunc(text, func(r rune) bool {
			return r != 0x9 && r != 0xA && r != 0xD && (r < 0x20 || r > 0xD7FF && r < 0xE000 || r > 0xFFFD && r < 0x10000)
		}) {
			t.Fatalf("SQS refuses %q", text)
		}
	}
	return size
}
