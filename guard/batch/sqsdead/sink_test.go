package sqsdead_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/s3dead"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var _ sqsdead.Client = (*sqs.Client)(nil)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

func TestNoOtherClientIsLinked(t *testing.T) { awstest.MustLinkOnly(t, "sqs") }

const orders = "arn:aws:sqs:eu-central-1:111122223333:orders"

var noon = time.Date(2026, 12, 1, 12, 0, 0, 500, time.UTC)

// message returns the record of a message as an event has it.
func message(t testing.TB, change func(*events.SQSMessage)) json.RawMessage {
	t.Helper()
	m := events.SQSMessage{
		MessageId: "059f36b4", ReceiptHandle: "AQEB", Body: `{"order":1}`, EventSource: "aws:sqs", EventSourceARN: orders,
		Attributes: map[string]string{"ApproximateReceiveCount": "5"}, MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	if change != nil {
		change(&m)
	}
	record, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func letter(record json.RawMessage) batch.DeadLetter {
	return batch.DeadLetter{
		Trigger: guard.SQS, Record: record, Source: orders, ID: "059f36b4", Attempts: 5,
		Code: "unknown_sku", Detail: "No such item.", RequestID: "r-1", FirstFailure: noon, LastFailure: noon.Add(time.Hour),
	}
}

func str(value string) events.SQSMessageAttribute {
	return events.SQSMessageAttribute{DataType: "String", StringValue: &value}
}

// with are n attributes of a message.
func with(n int) func(*events.SQSMessage) {
	return func(m *events.SQSMessage) {
		for i := range n {
			m.MessageAttributes[fmt.Sprint("a", i)] = str(fmt.Sprint("v", i))
		}
	}
}

// sent keeps what it is to send.
type sent struct{ in *sqs.SendMessageInput }

func (s *sent) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	s.in = in
	return &sqs.SendMessageOutput{}, nil
}

const standard, fifo = "https://sqs.eu-central-1.amazonaws.com/111122223333/dead", "https://sqs.eu-central-1.amazonaws.com/111122223333/dead.fifo"

func send(t testing.TB, url string, letter batch.DeadLetter, opts ...sqsdead.Option) *sqs.SendMessageInput {
	t.Helper()
	var client sent
	if err := sqsdead.New(&client, url, opts...).Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	if n := len(client.in.MessageAttributes); n > 10 {
		t.Errorf("got %d attributes, want 10 at most: %q", n, slices.Sorted(maps.Keys(client.in.MessageAttributes)))
	}
	return client.in
}

func valueOf(in *sqs.SendMessageInput, name string) string {
	return aws.ToString(in.MessageAttributes[name].StringValue)
}

// Real parts: what is sent to moto with the SDK comes back as it was.
func TestAMessageComesBackAsTheLetterThatItWas(t *testing.T) {
	client := awstest.SQS(servers.Moto(t).URL())
	kinesis := json.RawMessage(`{"kinesis":{"partitionKey":"k","data":"AA==","sequenceNumber":"7"},"eventSource":"aws:kinesis"}`)
	binary := func(m *events.SQSMessage) {
		m.MessageAttributes["type"] = str("order.placed")
		m.MessageAttributes["raw"] = events.SQSMessageAttribute{DataType: "Binary.gzip", BinaryValue: []byte{0, 1, 255}}
	}
	for name, tt := range map[string]struct {
		suffix string
		letter batch.DeadLetter
	}{
		"a message":            {letter: letter(message(t, nil))},
		"with attributes":      {letter: letter(message(t, binary))},
		"with packed ones":     {letter: letter(message(t, with(10)))},
		"to a FIFO queue":      {suffix: ".fifo", letter: letter(message(t, with(2)))},
		"of a stream":          {letter: batch.DeadLetter{Trigger: guard.Kinesis, Record: kinesis, ID: "7", Code: "c", FirstFailure: noon, LastFailure: noon}},
		"of a stream, to FIFO": {suffix: ".fifo", letter: batch.DeadLetter{Trigger: guard.Kinesis, Record: kinesis, ID: "7", Code: "c", Group: "k", FirstFailure: noon, LastFailure: noon}},
		"a detail of two lines": {letter: func() batch.DeadLetter {
			l := letter(message(t, nil))
			l.Detail = "first\nsecond <&> \U0001F600"
			return l
		}()},
	} {
		t.Run(name, func(t *testing.T) {
			url := awstest.Queue(t, client, tt.suffix, nil)
			if err := sqsdead.New(client, url).Send(t.Context(), tt.letter); err != nil {
				t.Fatal(err)
			}
			messages := awstest.Receive(t, client, url)
			if len(messages) != 1 {
				t.Fatalf("got %d messages, want 1", len(messages))
			}
			got, ok, err := sqsdead.Letter(messages[0])
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			mustEqual(t, got, tt.letter)
		})
	}
}

// mustEqual compares letters, of messages without what a Sink does not keep.
func mustEqual(t *testing.T, got, want batch.DeadLetter) {
	t.Helper()
	if want.Trigger == guard.SQS {
		a, b := events.SQSMessage{}, events.SQSMessage{}
		if err := errors.Join(json.Unmarshal(got.Record, &a), json.Unmarshal(want.Record, &b)); err != nil {
			t.Fatal(err)
		}
		if a.Body != b.Body || a.MessageId != b.MessageId || a.EventSourceARN != b.EventSourceARN || a.AWSRegion != "eu-central-1" || len(a.MessageAttributes) != len(b.MessageAttributes) {
			t.Errorf("got %+v, want %+v", a, b)
		}
		for name, attribute := range b.MessageAttributes {
			if x := a.MessageAttributes[name]; aws.ToString(x.StringValue) != aws.ToString(attribute.StringValue) || string(x.BinaryValue) != string(attribute.BinaryValue) || x.DataType != attribute.DataType {
				t.Errorf("%s: got %+v, want %+v", name, x, attribute)
			}
		}
		got.Record, want.Record = nil, nil
	} else {
		want.Group = "" // the record has the key
	}
	a, errA := json.Marshal(got)
	b, errB := json.Marshal(want)
	if string(a) != string(b) || errA != nil || errB != nil {
		t.Errorf("got %s %v\nwant %s %v", a, errA, b, errB)
	}
}

func TestTheAttributesOfALetter(t *testing.T) {
	in := send(t, standard, letter(message(t, with(2))))
	for name, want := range map[string]types.MessageAttributeValue{
		"lambdarmor.code":         {DataType: aws.String("String"), StringValue: aws.String("unknown_sku")},
		"lambdarmor.detail":       {DataType: aws.String("String"), StringValue: aws.String("No such item.")},
		"lambdarmor.requestId":    {DataType: aws.String("String"), StringValue: aws.String("r-1")},
		"lambdarmor.source":       {DataType: aws.String("String"), StringValue: aws.String(orders)},
		"lambdarmor.id":           {DataType: aws.String("String"), StringValue: aws.String("059f36b4")},
		"lambdarmor.firstFailure": {DataType: aws.String("String"), StringValue: aws.String("2026-12-01T12:00:00.0000005Z")},
		"lambdarmor.lastFailure":  {DataType: aws.String("String"), StringValue: aws.String("2026-12-01T13:00:00.0000005Z")},
		"lambdarmor.attempts":     {DataType: aws.String("Number"), StringValue: aws.String("5")},
		"a0":                      {DataType: aws.String("String"), StringValue: aws.String("v0")},
		"a1":                      {DataType: aws.String("String"), StringValue: aws.String("v1")},
	} {
		got := in.MessageAttributes[name]
		if aws.ToString(got.DataType) != *want.DataType || aws.ToString(got.StringValue) != *want.StringValue {
			t.Errorf("%s: got %q %q, want %q %q", name, aws.ToString(got.DataType), aws.ToString(got.StringValue), *want.DataType, *want.StringValue)
		}
	}
	if *in.MessageBody != `{"order":1}` || len(in.MessageAttributes) != 10 || in.MessageGroupId != nil || in.MessageDeduplicationId != nil {
		t.Errorf("got %s with %d attributes, group %v, id %v", *in.MessageBody, len(in.MessageAttributes), in.MessageGroupId, in.MessageDeduplicationId)
	}
}

func TestAttributesThatDoNotFitArePacked(t *testing.T) {
	grouped := func(change func(*events.SQSMessage)) func(*events.SQSMessage) {
		return func(m *events.SQSMessage) { change(m); m.Attributes["MessageGroupId"] = "c-42" }
	}
	marked := func(m *events.SQSMessage) {
		with(9)(m)
		size := "300000"
		m.MessageAttributes["ExtendedPayloadSize"] = events.SQSMessageAttribute{DataType: "Number", StringValue: &size}
	}
	empty := func(m *events.SQSMessage) { m.MessageAttributes["a0"] = str("") }
	for name, tt := range map[string]struct {
		url    string
		change func(*events.SQSMessage)
		plain  []string
		packed string
	}{
		"none":                       {url: standard, change: with(0)},
		"two fit":                    {url: standard, change: with(2), plain: []string{"a0", "a1"}},
		"three do not":               {url: standard, change: with(3), packed: `{"messageAttributes":{"a0":`},
		"ten do not":                 {url: standard, change: with(10), packed: `{"messageAttributes":{"a0":`},
		"a group":                    {url: standard, change: grouped(with(0)), packed: `{"messageGroupId":"c-42"}`},
		"a group and one":            {url: standard, change: grouped(with(1)), plain: []string{"a0"}, packed: `{"messageGroupId":"c-42"}`},
		"a group and two":            {url: standard, change: grouped(with(2)), packed: `{"messageGroupId":"c-42","messageAttributes":{"a0":`},
		"a group that the queue has": {url: fifo, change: grouped(with(2)), plain: []string{"a0", "a1"}},
		"a pointer is marked":        {url: standard, change: marked, plain: []string{"ExtendedPayloadSize"}, packed: `{"messageAttributes":{"a0":`},
		"one that SQS refuses":       {url: standard, change: empty, packed: `{"messageAttributes":{"a0":`},
	} {
		t.Run(name, func(t *testing.T) {
			l := letter(message(t, tt.change))
			if tt.url == fifo {
				l.Group = "c-42"
			}
			in := send(t, tt.url, l)
			var plain []string
			for _, name := range slices.Sorted(maps.Keys(in.MessageAttributes)) {
				if !strings.HasPrefix(name, "lambdarmor.") {
					plain = append(plain, name)
				}
			}
			packed := valueOf(in, "lambdarmor.message")
			if !slices.Equal(plain, tt.plain) || !strings.HasPrefix(packed, tt.packed) || (packed == "") != (tt.packed == "") {
				t.Errorf("got %q and %s\nwant %q and %s", plain, packed, tt.plain, tt.packed)
			}
		})
	}
}

// The console's redrive leaves the attributes of the letter on the message.
func TestAMessageThatFailsAgainHasTheAttributesOfTheNewLetter(t *testing.T) {
	for _, n := range []int{2, 10} {
		first := send(t, standard, letter(message(t, with(n))))
		again := letter(message(t, func(m *events.SQSMessage) {
			m.Body = *first.MessageBody
			for name, a := range first.MessageAttributes {
				m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: *a.DataType, StringValue: a.StringValue}
			}
		}))
		again.Code = "another"
		in := send(t, standard, again)
		got, _, err := sqsdead.Letter(types.Message{Body: in.MessageBody, MessageAttributes: in.MessageAttributes})
		if err != nil {
			t.Fatal(err)
		}
		want := letter(message(t, with(n)))
		want.Code = "another"
		mustEqual(t, got, want)
	}
}

func TestWhatSQSRefusesIsSentInAnotherForm(t *testing.T) {
	body := func(text string) func(*events.SQSMessage) { return func(m *events.SQSMessage) { m.Body = text } }
	for name, tt := range map[string]struct {
		letter batch.DeadLetter
	}{
		"an empty body":     {letter(message(t, body("")))},
		"a control":         {letter(message(t, body("a\x00b")))},
		"no character":      {letter(message(t, body("a\uFFFEb\uFFFF")))},
		"raw in a record":   {batch.DeadLetter{Trigger: guard.Kinesis, ID: "1", Record: json.RawMessage("{\"partitionKey\":\"\uFFFE\uFFFF\"}")}},
		"in an attribute":   {letter(message(t, func(m *events.SQSMessage) { m.MessageAttributes["a"] = str("\uFFFE\x01") }))},
		"in a detail":       {func() batch.DeadLetter { l := letter(message(t, nil)); l.Detail = "a\x00\uFFFE"; return l }()},
		"not in the form":   {batch.DeadLetter{Trigger: guard.SQS, ID: "1", Record: json.RawMessage(`{"body":7}`)}},
		"a body not a text": {batch.DeadLetter{Trigger: guard.SQS, ID: "1", Record: json.RawMessage(`"x"`)}},
	} {
		t.Run(name, func(t *testing.T) {
			in := send(t, standard, tt.letter)
			texts := []string{*in.MessageBody}
			for _, a := range in.MessageAttributes {
				texts = append(texts, *a.StringValue)
			}
			for _, text := range texts {
				if text == "" || strings.ContainsAny(text, "\x00\x01\uFFFE\uFFFF") {
					t.Errorf("SQS refuses %q", text)
				}
			}
			got, ok, err := sqsdead.Letter(types.Message{Body: in.MessageBody, MessageAttributes: in.MessageAttributes})
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			var a, b any
			if in.MessageAttributes["lambdarmor.record"].StringValue == nil {
				return // the table of packed ones has it
			}
			if err := errors.Join(json.Unmarshal(got.Record, &a), json.Unmarshal(tt.letter.Record, &b)); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(a) != fmt.Sprint(b) || got.Trigger != tt.letter.Trigger {
				t.Errorf("got %s %q, want %s %q", got.Trigger, a, tt.letter.Trigger, b)
			}
		})
	}
}

func TestARecordThatIsNoJSONIsRefused(t *testing.T) {
	for name, record := range map[string]string{"nothing": "", "cut": `{"a":`, "no UTF-8": "\"\xff\""} {
		var client sent
		if err := sqsdead.New(&client, standard).Send(t.Context(), letter(json.RawMessage(record))); err == nil || client.in != nil {
			t.Errorf("%s: got %v and sent %v, want an error alone", name, err, client.in)
		}
	}
}

func TestALetterOfAFIFOQueueIsOrderedAndSentOnce(t *testing.T) {
	of := func(change func(*batch.DeadLetter)) *sqs.SendMessageInput {
		l := letter(message(t, nil))
		change(&l)
		return send(t, fifo, l)
	}
	hash := regexp.MustCompile(`^[0-9a-f]{64}$`)
	for name, tt := range map[string]struct {
		group, source, want string
		hashed              bool
	}{
		"its group":            {group: "c-42", source: orders, want: "c-42"},
		"no group":             {source: orders, want: orders},
		"no source":            {want: "unknown"},
		"a key that is a text": {group: "Zürich 1", source: orders, hashed: true},
		"a long key":           {group: strings.Repeat("k", 129), source: orders, hashed: true},
	} {
		got := *of(func(l *batch.DeadLetter) { l.Group, l.Source = tt.group, tt.source }).MessageGroupId
		if hash.MatchString(got) != tt.hashed || !tt.hashed && got != tt.want {
			t.Errorf("%s: got group %q, want %q or a hash: %v", name, got, tt.want, tt.hashed)
		}
	}
	base := *of(func(*batch.DeadLetter) {}).MessageDeduplicationId
	for name, tt := range map[string]struct {
		change func(*batch.DeadLetter)
		same   bool
	}{
		"sent again":         {func(*batch.DeadLetter) {}, true},
		"another record":     {func(l *batch.DeadLetter) { l.ID = "2" }, false},
		"another source":     {func(l *batch.DeadLetter) { l.Source += "-eu" }, false},
		"another invocation": {func(l *batch.DeadLetter) { l.RequestID = "r-2" }, false},
	} {
		if got := *of(tt.change).MessageDeduplicationId; (got == base) != tt.same || len(got) > 128 {
			t.Errorf("%s: got %s and %s, want the same: %v", name, base, got, tt.same)
		}
	}
}

// A record that is run again within five minutes, and given up again, is one more
// message: SQS would drop it without a word if it had the id of the first.
func TestARecordThatIsGivenUpTwiceIsThereTwice(t *testing.T) {
	client := awstest.SQS(servers.Moto(t).URL())
	url := awstest.Queue(t, client, ".fifo", nil)
	sink := sqsdead.New(client, url)
	for _, request := range []string{"r-1", "r-1", "r-2"} {
		l := letter(message(t, nil))
		l.RequestID = request
		if err := sink.Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	if got := awstest.Receive(t, client, url); len(got) != 2 {
		t.Errorf("got %d messages, want 2: one for each invocation", len(got))
	}
}

func TestALargeLetterIsStoredOrRefused(t *testing.T) {
	moto := servers.Moto(t).URL()
	client, objects := awstest.SQS(moto), awstest.S3(moto)
	bucket := awstest.Bucket(t, objects)
	large := strings.Repeat("x", 1<<20-100)
	kinesis := batch.DeadLetter{Trigger: guard.Kinesis, ID: "1", Code: "c", Record: json.RawMessage(`"` + large + large + `"`)}
	atts := func(m *events.SQSMessage) { m.MessageAttributes["a"] = str(large) }
	for name, tt := range map[string]struct {
		letter  batch.DeadLetter
		payload string
		record  string
	}{
		"a body":                          {letter: letter(message(t, func(m *events.SQSMessage) { m.Body = large; with(10)(m) })), payload: large},
		"attributes":                      {letter: letter(message(t, atts)), payload: string(message(t, atts)), record: "sqs"},
		"a record":                        {letter: kinesis, payload: string(kinesis.Record), record: "kinesis"},
		"a pointer with large attributes": {letter: letter(message(t, func(m *events.SQSMessage) { atts(m); m.MessageAttributes["ExtendedPayloadSize"] = str("7") })), record: "sqs"},
	} {
		t.Run(name, func(t *testing.T) {
			url := awstest.Queue(t, client, "", nil)
			if err := sqsdead.New(client, url).Send(t.Context(), tt.letter); err == nil || !strings.Contains(err.Error(), "larger than a message") {
				t.Errorf("without a store: got %v, want a refusal", err)
			}
			sink := sqsdead.New(client, url, sqsdead.Large(s3dead.NewPayloads(objects, bucket, s3dead.Prefix("p/"))))
			if err := sink.Send(t.Context(), tt.letter); err != nil {
				t.Fatal(err)
			}
			messages := awstest.Receive(t, client, url)
			if len(messages) != 1 {
				t.Fatalf("got %d messages, want 1", len(messages))
			}
			m := messages[0]
			var pointer struct{ S3BucketName, S3Key string }
			parts := []any{new(string), &pointer}
			if err := json.Unmarshal([]byte(*m.Body), &parts); err != nil {
				t.Fatal(err)
			}
			if class := *parts[0].(*string); class != "software.amazon.payloadoffloading.PayloadS3Pointer" || pointer.S3BucketName != bucket || !strings.HasPrefix(pointer.S3Key, "p/") {
				t.Errorf("got %s", *m.Body)
			}
			stored := awstest.Objects(t, objects, bucket)[pointer.S3Key]
			if tt.payload != "" && stored != tt.payload {
				t.Errorf("stored are %d bytes, want %d", len(stored), len(tt.payload))
			}
			if got := aws.ToString(m.MessageAttributes["ExtendedPayloadSize"].StringValue); got != fmt.Sprint(len(stored)) {
				t.Errorf("got the size %s, want %d", got, len(stored))
			}
			if got := aws.ToString(m.MessageAttributes["lambdarmor.record"].StringValue); got != tt.record || len(m.MessageAttributes) > 10 {
				t.Errorf("got the record %q of %d attributes, want %q", got, len(m.MessageAttributes), tt.record)
			}
			if _, _, err := sqsdead.Letter(m); (err != nil) != (tt.record != "") {
				t.Errorf("got %v for a record in a bucket", err)
			}
		})
	}
}

func TestTheSizeIsThatOfBodyAndAttributes(t *testing.T) {
	var client sent
	l := batch.DeadLetter{Trigger: guard.Kinesis, ID: "1", Record: json.RawMessage(`"x"`)}
	// "lambdarmor.id" "String" "1", "lambdarmor.record" "String" "kinesis"
	around := 13 + 6 + 1 + 17 + 6 + 7
	for _, tt := range []struct {
		body int
		fits bool
	}{{1024 - around, true}, {1024 - around + 1, false}} {
		l.Record = json.RawMessage(`"` + strings.Repeat("x", tt.body-2) + `"`)
		if err := sqsdead.New(&client, standard, sqsdead.MaxBytes(1024)).Send(t.Context(), l); (err == nil) != tt.fits {
			t.Errorf("%d bytes: got %v, want it to fit: %v", tt.body, err, tt.fits)
		}
	}
}

func TestALetterWithoutAnIDIsALetter(t *testing.T) {
	l := letter(message(t, nil))
	l.ID = ""
	in := send(t, standard, l)
	if got, ok, err := sqsdead.Letter(types.Message{Body: in.MessageBody, MessageAttributes: in.MessageAttributes}); !ok || err != nil || got.ID == "" {
		t.Errorf("got %+v, %v, %v, want a letter", got, ok, err)
	}
}

func TestManyLettersAtOnceAreAllThere(t *testing.T) {
	client := awstest.SQS(servers.Moto(t).URL())
	url := awstest.Queue(t, client, "", nil)
	sink := sqsdead.New(client, url)
	var running sync.WaitGroup
	for i := range 32 {
		running.Go(func() {
			l := letter(message(t, with(i%11)))
			l.ID = fmt.Sprint(i)
			if err := sink.Send(t.Context(), l); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	ids := map[string]bool{}
	for range 4 {
		for _, m := range awstest.Receive(t, client, url) {
			l, ok, err := sqsdead.Letter(m)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			ids[l.ID] = true
		}
	}
	if len(ids) != 32 {
		t.Errorf("got %d letters, want 32", len(ids))
	}
}

// failing fails.
type failing struct{}

func (failing) SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	return nil, context.DeadlineExceeded
}

func (failing) Store(context.Context, []byte) (string, string, error) {
	return "", "", context.DeadlineExceeded
}

func TestAFailureIsAnErrorThatShowsNoValue(t *testing.T) {
	l := letter(message(t, func(m *events.SQSMessage) { m.Body = strings.Repeat("hunter2", 200_000) }))
	for name, sink := range map[string]*sqsdead.Sink{
		"the queue":  sqsdead.New(failing{}, standard),
		"the store":  sqsdead.New(failing{}, standard, sqsdead.Large(failing{})),
		"no queue":   sqsdead.New(awstest.SQS(servers.Moto(t).URL()), servers.Moto(t).URL()+"/123456789012/none"),
		"no address": sqsdead.New(awstest.SQS("http://127.0.0.1:1"), standard),
	} {
		l := l
		if name != "the store" {
			l = letter(message(t, func(m *events.SQSMessage) { m.Body = "hunter2" }))
		}
		err := sink.Send(t.Context(), l)
		if err == nil || !strings.HasPrefix(err.Error(), "sqsdead: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAMessageThatNoSinkHasSentIsNoLetter(t *testing.T) {
	if _, ok, err := sqsdead.Letter(types.Message{Body: aws.String("x")}); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	a := func(value string) types.MessageAttributeValue {
		return types.MessageAttributeValue{StringValue: &value}
	}
	for name, attribute := range map[string]string{"firstFailure": "hunter2", "lastFailure": "hunter2", "attempts": "hunter2", "message": "{hunter2", "record": "kinesis"} {
		m := types.Message{Body: aws.String("{hunter2"), MessageAttributes: map[string]types.MessageAttributeValue{"lambdarmor.id": a("1"), "lambdarmor." + name: a(attribute)}}
		if _, ok, err := sqsdead.Letter(m); !ok || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, %v, want an error without a value", name, ok, err)
		}
	}
}

// A sender to the source chooses a message's attributes. They are believed
// only of a message that was sent to the dead-letter queue.
func TestAMessageThatSQSHasMovedIsNoLetterWithAnyAttributes(t *testing.T) {
	first := send(t, standard, letter(message(t, with(10))))
	attributes := maps.Clone(first.MessageAttributes)
	attributes["lambdarmor.record"] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("http_api")}
	m := types.Message{
		MessageId: aws.String("m-1"), Body: first.MessageBody, MessageAttributes: attributes,
		Attributes: map[string]string{"DeadLetterQueueSourceArn": orders, "MessageGroupId": "c-42", "SentTimestamp": "1796126400000"},
	}
	if got, ok, err := sqsdead.Letter(m); ok || err != nil {
		t.Errorf("got %+v, %v, %v, want no letter", got, ok, err)
	}
	got := sqsdead.Original(m)
	if got.MessageId != "m-1" || got.Body != `{"order":1}` || got.EventSourceARN != orders || got.AWSRegion != "eu-central-1" || got.EventSource != "aws:sqs" ||
		!maps.Equal(got.Attributes, map[string]string{"MessageGroupId": "c-42", "SentTimestamp": "1796126400000"}) || len(got.Md5OfBody) != 32 {
		t.Errorf("got %+v", got)
	}
	if names := slices.Sorted(maps.Keys(got.MessageAttributes)); len(names) != 10 || names[0] != "a0" || aws.ToString(got.MessageAttributes["a0"].StringValue) != "v0" {
		t.Errorf("got the attributes %q, want those of the message", names)
	}
}

// A sender may write any attributes, and pack some as a Sink does.
func TestASenderCannotChangeWhatALetterSays(t *testing.T) {
	forged := `{"messageAttributes":{"lambdarmor.record":{"dataType":"String","stringValue":"http_api"}}}`
	for name, attributes := range map[string]map[string]string{
		"plain":     {"lambdarmor.record": "http_api", "lambdarmor.id": "2", "lambdarmor.attempts": "x"},
		"packed":    {"lambdarmor.message": forged},
		"malformed": {"lambdarmor.message": "{hunter2"},
	} {
		l := letter(message(t, func(m *events.SQSMessage) {
			for name, value := range attributes {
				m.MessageAttributes[name] = str(value)
			}
		}))
		in := send(t, standard, l)
		got, ok, err := sqsdead.Letter(types.Message{Body: in.MessageBody, MessageAttributes: in.MessageAttributes})
		if !ok || err != nil || got.Trigger != guard.SQS || got.ID != l.ID || got.Source != orders || got.Attempts != 5 {
			t.Errorf("%s: got %+v, %v, %v, want the letter of the sink", name, got, ok, err)
		}
	}
}

func TestAMisconfigurationPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"no client": func() { sqsdead.New(nil, standard) },
		"no queue":  func() { sqsdead.New(&sent{}, "") },
		"no store":  func() { sqsdead.Large(nil) },
		"too small": func() { sqsdead.MaxBytes(1023) },
		"too large": func() { sqsdead.MaxBytes(1<<20 + 1) },
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, "sqsdead: ") {
					t.Errorf("%s: got %q, want a panic that names the package", name, r)
				}
			}()
			f()
		}()
	}
}
