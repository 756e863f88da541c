package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// API serves the queues to an SDK's SQS client, so that a function under test can send
// messages, change their visibility or delete them, and so that a test or a redrive
// command can read a dead-letter queue. The function finds it by the variable
// AWS_ENDPOINT_URL_SQS. A queue's URL is the server's, then /123456789012/ and its name.
//
// It has the actions SendMessage, ReceiveMessage, DeleteMessage and
// ChangeMessageVisibility, their batches, GetQueueUrl and GetQueueAttributes of the JSON
// protocol, and accepts any credentials. A receipt counts as a batch in the ledger. The
// header X-Amzn-Trace-Id of a request becomes the AWSTraceHeader of its messages.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
func API(queues ...*Queue) http.Handler {
	return &api{queues}
}

type api struct{ queues []*Queue }

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in apiRequest
	action, isSQS := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	var out any
	refusal := refuse("InvalidAction", "no action of SQS's JSON protocol that is served here")
	if run, known := apiActions[action]; isSQS && known {
		// Ten messages of a MiB, in base64 or with each character escaped, are not more.
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<20)).Decode(&in); err != nil {
			refusal = refuse("InvalidParameterValue", "the request is not JSON of this action")
		} else if action == "GetQueueUrl" {
			out, refusal = a.queueURL(r, in.QueueName)
		} else if q := a.queue(in.QueueURL); q == nil {
			refusal = refuse("QueueDoesNotExist", "the queue does not exist")
		} else {
			in.setTrace(r.Header.Get("X-Amzn-Trace-Id"))
			out, refusal = run(r.Context(), q, &in)
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Requestid", ids.UUID())
	if refusal != nil {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]string{"__type": "com.amazonaws.sqs#" + refusal.Code, "message": refusal.Text}
	}
	_ = json.NewEncoder(w).Encode(out) // a client that left needs no answer
}

// queue is the queue of a URL, whatever host its client knows this server by.
func (a *api) queue(url string) *Queue {
	name := url[strings.LastIndex(url, "/")+1:]
	for _, q := range a.queues {
		if q.cfg.Name == name {
			return q
		}
	}
	return nil
}

func (a *api) queueURL(r *http.Request, name string) (any, *source.Refusal) {
	q := a.queue(name)
	if q == nil {
		return nil, refuse("QueueDoesNotExist", "the queue does not exist")
	}
	return map[string]string{"QueueUrl": "http://" + r.Host + "/" + guardtest.AccountID + "/" + q.cfg.Name}, nil
}

// An apiRequest has the members of every action.
type apiRequest struct {
	QueueURL  string `json:"QueueUrl"`
	QueueName string

	apiEntry
	Entries []apiEntry // of a batch

	MaxNumberOfMessages         *int
	WaitTimeSeconds             int
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
}

// An apiEntry is a request for one message, alone or in a batch.
type apiEntry struct {
	ID                      string `json:"Id"`
	MessageBody             string
	DelaySeconds            int
	MessageAttributes       map[string]apiAttribute
	MessageSystemAttributes map[string]apiAttribute
	MessageDeduplicationID  string `json:"MessageDeduplicationId"`
	MessageGroupID          string `json:"MessageGroupId"`
	ReceiptHandle           string
	VisibilityTimeout       *int

	trace string // of the request
}

// setTrace sets the tracing header of the request, which counts for each of its
// messages that has no AWSTraceHeader of its own.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
func (in *apiRequest) setTrace(header string) {
	in.trace = header
	for i := range in.Entries {
		in.Entries[i].trace = header
	}
}

type apiAttribute struct {
	DataType    string
	StringValue string `json:",omitempty"`
	BinaryValue []byte `json:",omitempty"`
}

// omitted members are those that the model does not return empty.
type apiSent struct {
	ID                     string `json:"Id,omitempty"`
	MessageID              string `json:"MessageId"`
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
	SequenceNumber         string `json:",omitempty"`
}

type apiMessage struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	MD5OfBody              string
	Body                   string
	Attributes             map[string]string       `json:",omitempty"`
	MD5OfMessageAttributes string                  `json:",omitempty"`
	MessageAttributes      map[string]apiAttribute `json:",omitempty"`
}

type apiFailure struct {
	ID          string `json:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

var apiActions = map[string]func(context.Context, *Queue, *apiRequest) (any, *source.Refusal){
	"GetQueueUrl":                  nil, // the only action without a queue
	"GetQueueAttributes":           getAttributes,
	"ReceiveMessage":               receiveMessages,
	"SendMessage":                  one(sendEntry),
	"SendMessageBatch":             each(sendEntry),
	"DeleteMessage":                one(deleteEntry),
	"DeleteMessageBatch":           each(deleteEntry),
	"ChangeMessageVisibility":      one(changeEntry),
	"ChangeMessageVisibilityBatch": each(changeEntry),
}

type apiAction func(*Queue, *apiEntry) (any, *source.Refusal)

func one(do apiAction) func(context.Context, *Queue, *apiRequest) (any, *source.Refusal) {
	return func(_ context.Context, q *Queue, in *apiRequest) (any, *source.Refusal) { return do(q, &in.apiEntry) }
}

// each is a batch of an action. Its entries fail one by one.
func each(do apiAction) func(context.Context, *Queue, *apiRequest) (any, *source.Refusal) {
	return func(_ context.Context, q *Queue, in *apiRequest) (any, *source.Refusal) {
		if r := checkEntries(in.Entries); r != nil {
			return nil, r
		}
		successful, failed := []any{}, []apiFailure{}
		for _, e := range in.Entries {
			if out, r := do(q, &e); r != nil {
				failed = append(failed, apiFailure{e.ID, r.Code, r.Text, true})
			} else {
				successful = append(successful, out)
			}
		}
		return map[string]any{"Successful": successful, "Failed": failed}, nil
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func checkEntries(entries []apiEntry) *source.Refusal {
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		if seen[e.ID] {
			return refuse("BatchEntryIdsNotDistinct", "two entries have the same Id")
		}
		seen[e.ID] = true
		size += len(e.MessageBody)
	}
	switch {
	case len(entries) == 0:
		return refuse("EmptyBatchRequest", "the batch has no entries")
	case len(entries) > maxReceive:
		return refuse("TooManyEntriesInBatchRequest", "the batch has more than %d entries", maxReceive)
	case seen[""]:
		return refuse("InvalidBatchEntryId", "an entry has no Id")
	case size > maxMessage:
		return refuse("BatchRequestTooLong", "the batch has more than %d bytes", maxMessage)
	}
	return nil
}

func sendEntry(q *Queue, e *apiEntry) (any, *source.Refusal) {
	m := Message{
		Body: e.MessageBody, Group: e.MessageGroupID, Deduplication: e.MessageDeduplicationID,
		Delay: seconds(e.DelaySeconds), TraceHeader: cmp.Or(e.MessageSystemAttributes["AWSTraceHeader"].StringValue, e.trace),
		Attributes: map[string]source.Attribute{},
	}
	for name, a := range e.MessageAttributes {
		m.Attributes[name] = source.Attribute{DataType: a.DataType, String: a.StringValue, Binary: a.BinaryValue}
	}
	sent, refusal := q.send(m)
	if refusal != nil {
		return nil, refusal
	}
	return apiSent{e.ID, sent.id, sent.md5, sent.md5OfAttributes, sent.sequence}, nil
}

func deleteEntry(q *Queue, e *apiEntry) (any, *source.Refusal) {
	return answered(e, q.Delete(e.ReceiptHandle))
}

func changeEntry(q *Queue, e *apiEntry) (any, *source.Refusal) {
	if e.VisibilityTimeout == nil {
		return nil, refuse("MissingParameter", "the request has no VisibilityTimeout")
	}
	return answered(e, q.ChangeVisibility(e.ReceiptHandle, seconds(*e.VisibilityTimeout)))
}

func answered(e *apiEntry, err error) (any, *source.Refusal) {
	if err != nil {
		return nil, err.(*source.Refusal)
	}
	if e.ID == "" {
		return struct{}{}, nil
	}
	return map[string]string{"Id": e.ID}, nil
}

// seconds returns a time, or one beyond every limit for a number beyond those.
func seconds(n int) time.Duration { return time.Duration(min(max(n, -1), 1<<30)) * time.Second }

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
func receiveMessages(ctx context.Context, q *Queue, in *apiRequest) (any, *source.Refusal) {
	most, visibility := 1, q.cfg.VisibilityTimeout
	if in.MaxNumberOfMessages != nil {
		most = *in.MaxNumberOfMessages
	}
	if in.VisibilityTimeout != nil {
		visibility = seconds(*in.VisibilityTimeout)
	}
	switch {
	case most < 1 || most > maxReceive:
		return nil, refuse("InvalidParameterValue", "MaxNumberOfMessages is not between 1 and %d", maxReceive)
	case in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > 20:
		return nil, refuse("InvalidParameterValue", "WaitTimeSeconds is not between 0 and 20")
	case visibility < 0 || visibility > maxVisibility:
		return nil, refuse("InvalidParameterValue", "VisibilityTimeout is not between 0 and 12 hours")
	}
	q.clock.Enter()
	defer q.clock.Leave()
	got := q.receiveUntil(ctx, most, visibility, q.clock.Now().Add(seconds(in.WaitTimeSeconds)))
	if len(got) > 0 {
		q.ledger.Batch("ReceiveMessage", q.clock.Now(), deliveries(got))
	}
	system := wanted(append(in.AttributeNames, in.MessageSystemAttributeNames...))
	custom := wanted(in.MessageAttributeNames)
	messages := []apiMessage{}
	for _, m := range got {
		out := apiMessage{MessageID: m.ID, ReceiptHandle: m.ReceiptHandle, MD5OfBody: m.MD5OfBody, Body: m.Body, Attributes: map[string]string{}}
		for name, value := range m.Attributes {
			if system(name) {
				out.Attributes[name] = value
			}
		}
		chosen := map[string]source.Attribute{}
		out.MessageAttributes = map[string]apiAttribute{}
		for name, a := range m.MessageAttributes {
			if custom(name) {
				chosen[name] = a
				out.MessageAttributes[name] = apiAttribute{dataType(a), a.String, a.Binary}
			}
		}
		out.MD5OfMessageAttributes = md5OfAttributes(chosen)
		messages = append(messages, out)
	}
	return map[string]any{"Messages": messages}, nil
}

// wanted reports whether a name is among those asked for: All, .*, a name, or prefix.*
func wanted(names []string) func(string) bool {
	return func(name string) bool {
		for _, n := range names {
			prefix, isPrefix := strings.CutSuffix(n, "*")
			if n == "All" || n == name || (isPrefix && (prefix == "." || strings.HasPrefix(name, prefix))) {
				return true
			}
		}
		return false
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
func getAttributes(_ context.Context, q *Queue, in *apiRequest) (any, *source.Refusal) {
	whole := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	visible, inFlight, delayed := q.sizes()
	all := map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
		"QueueArn":                              q.ARN(),
		"VisibilityTimeout":                     whole(q.cfg.VisibilityTimeout),
		"MessageRetentionPeriod":                whole(q.cfg.Retention),
		"DelaySeconds":                          whole(q.cfg.Delay),
	}
	if q.fifo {
		all["FifoQueue"] = "true"
		all["ContentBasedDeduplication"] = strconv.FormatBool(q.cfg.ContentBasedDeduplication)
	}
	if to := q.cfg.Redrive.To; to != nil {
		all["RedrivePolicy"] = `{"deadLetterTargetArn":"` + to.ARN() + `","maxReceiveCount":` + strconv.Itoa(q.cfg.Redrive.MaxReceives) + `}`
	}
	attributes, asked := map[string]string{}, wanted(in.AttributeNames)
	for name, value := range all {
		if asked(name) {
			attributes[name] = value
		}
	}
	return map[string]any{"Attributes": attributes}, nil
}
