package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue/sqspoll"
)

// queuePath is where messages are put, and the ledger is shown.
const queuePath = "/_queue"

const fifoSuffix = ".fifo"

// url is that of a real SQS API, or empty.
func (f *sourceFlag) url() string {
	if isURL(f.value) {
		return f.value
	}
	return ""
}

func isURL(text string) bool {
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
}

// joinQueueURL makes "-queue URL" one argument: a flag that can be without a value takes
// it only behind a "=".
func joinQueueURL(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		if (args[i] == "-queue" || args[i] == "--queue") && i+1 < len(args) && isURL(args[i+1]) {
			joined = append(joined, args[i]+"="+args[i+1])
			i++
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}

// A desk is a queue before the function: one in memory, or one of a real SQS API.
type desk struct {
	name    string
	console *console
	ledger  source.Ledger
	run     func(context.Context) error

	memory, dead *queue.Queue // nil for one of a real SQS API
	settings     queueSettings
	url          string
}

// queueSettings are those of the template, or of the flag. It returns nil without a queue.
func (f sourceFlag) queueSettings(dir string) (*queueSettings, error) {
	if f.off {
		return nil, nil
	}
	s, err := templateQueue(dir)
	if err != nil || (s == nil && !f.set) {
		return nil, err
	}
	if s == nil {
		s = &queueSettings{maxReceives: 3}
		s.queue.Name, s.dead.Name = "queue", "queue-dead"
		s.queue.Mapping.ReportBatchItemFailures = true
	}
	if f.value == "" || isURL(f.value) {
		return s, nil
	}
	// The name decides about FIFO, of the dead-letter queue as well.
	base, fifo := strings.CutSuffix(f.value, fifoSuffix)
	s.queue.Name = f.value
	s.queue.ContentBasedDeduplication = s.queue.ContentBasedDeduplication && fifo
	s.dead.ContentBasedDeduplication = false
	if s.maxReceives > 0 {
		s.dead.Name = queueName(base+"-dead", "", fifo)
	}
	return s, nil
}

// newDesk returns the desk for the settings, in memory unless there is a URL.
func newDesk(ctx context.Context, fn guardtest.Invoker, s queueSettings, queueURL string, console *console) (d *desk, err error) {
	defer func() { // a mapping that cannot be
		if v := recover(); v != nil {
			d, err = nil, fmt.Errorf("the queue cannot be: %v", v)
		}
	}()
	d = &desk{name: s.queue.Name, console: console, settings: s}
	s.queue.Mapping.CountOnly = true
	s.queue.Mapping.OnBatch = d.batch
	if queueURL != "" {
		if err := d.poll(ctx, fn, queueURL, s.queue.Mapping); err != nil {
			return nil, fmt.Errorf("queue %s: %w", d.name, err)
		}
		return d, nil
	}
	if s.dead.Name != "" {
		d.dead = queue.New(nil, s.dead)
		s.queue.Redrive = queue.Redrive{To: d.dead, MaxReceives: s.maxReceives}
		s.queue.OnDeadLetter = d.deadLetter
	}
	d.memory = queue.New(fn, s.queue)
	d.ledger, d.run = d.memory.Ledger(), d.memory.Run
	return d, nil
}

// ownEndpoint is the endpoint in the URL of a queue that is not in AWS; otherwise it is
// empty.
func ownEndpoint(queueURL string) string {
	u, err := url.Parse(queueURL)
	if err != nil || strings.HasSuffix(u.Hostname(), ".amazonaws.com") || strings.HasSuffix(u.Hostname(), ".amazonaws.com.cn") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// poll is a desk for a queue of a real SQS API.
func (d *desk) poll(ctx context.Context, fn guardtest.Invoker, queueURL string, mapping queue.Mapping) error {
	u, err := url.Parse(queueURL)
	if err != nil || u.Host == "" {
		return fmt.Errorf("-queue %q is not a URL", queueURL)
	}
	cfg, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error {
		o.DefaultRegion = "us-east-1"
		return nil
	})
	if err != nil {
		return err
	}
	client := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		if endpoint := ownEndpoint(queueURL); o.BaseEndpoint == nil && endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		// https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
		if host := strings.Split(u.Host, "."); len(host) > 3 && host[0] == "sqs" && host[2] == "amazonaws" {
			o.Region = host[1]
		}
	})
	d.name, d.url = u.Path[strings.LastIndex(u.Path, "/")+1:], queueURL
	d.console.say("queue %s: asking %s for its settings", d.name, queueURL)
	mapping.OnError = func(err error) { d.console.say("queue %s: %v; trying again", d.name, err) }
	poller, err := sqspoll.New(ctx, client, queueURL, fn, mapping)
	if err != nil {
		return err
	}
	d.ledger, d.run = poller.Ledger(), poller.Run
	return nil
}

// warn says so if a message can come again while it is handled. Lambda refuses such a
// mapping.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func (d *desk) warn(timeout time.Duration) {
	if visibility := d.settings.queue.VisibilityTimeout; d.memory != nil && visibility > 0 && visibility < timeout {
		d.console.say("queue %s: a message can come again while it is handled: its visibility timeout, %s, is below -timeout, %s", d.name, visibility, timeout)
	}
}

func (d *desk) batch(b source.BatchReport) {
	what := "done"
	switch {
	case b.Err != nil:
		what = fmt.Sprintf("all failed: %v", b.Err)
	case b.Failed > 0:
		what = fmt.Sprintf("%d failed", b.Failed)
	}
	d.console.say("queue %s: batch %d, %s, %s", d.name, b.Number, plural(b.Messages, "message"), what)
}

func (d *desk) deadLetter(e source.Entry) {
	d.console.say("queue %s: message %s is dead-lettered to %s: %s", d.name, e.ID, d.settings.dead.Name, e.Reason)
}

// ServeHTTP puts a message into the queue, or shows the ledger.
func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		d.show(w)
	case r.Method == http.MethodPost && d.memory != nil:
		d.put(w, r)
	case r.Method == http.MethodPost:
		answer(w, http.StatusConflict, map[string]string{"message": "the queue is not in memory: send to " + d.url})
	default:
		w.Header().Set("Allow", "GET, POST")
		answer(w, http.StatusMethodNotAllowed, map[string]string{"message": "POST puts a message, GET shows the ledger"})
	}
}

// maxBody is more than a message may have, so that the queue says why it is refused.
const maxBody = 2 << 20

func (d *desk) put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	var m queue.Message
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		err = errors.New("the query cannot be read: a % stands before two hexadecimal digits, and parameters are parted by &")
	} else {
		m, err = message(string(body), query)
	}
	if err == nil {
		var id string
		if id, err = d.memory.Send(m); err == nil {
			answer(w, http.StatusOK, map[string]string{"messageId": id})
			return
		}
	}
	answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
}

// message reads what is said beside the body: group, dedup, delay in seconds, and
// attr.NAME for a message attribute. A header's name would lose its case.
func message(body string, query url.Values) (queue.Message, error) {
	m := queue.Message{Body: body, Attributes: map[string]source.Attribute{}}
	for name, values := range query {
		value := values[0]
		attribute, isAttribute := strings.CutPrefix(name, "attr.")
		switch {
		case len(values) > 1:
			return m, fmt.Errorf("%q is there twice", name)
		case isAttribute:
			m.Attributes[attribute] = source.Attribute{String: value}
		case name == "group":
			m.Group = value
		case name == "dedup":
			m.Deduplication = value
		case name == "delay":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > 900 {
				return m, errors.New("delay is not a number of seconds from 0 to 900")
			}
			m.Delay = time.Duration(n) * time.Second
		default:
			return m, fmt.Errorf("%q is none of group, dedup, delay and attr.NAME", name)
		}
	}
	return m, nil
}

func (d *desk) show(w http.ResponseWriter) {
	answer(w, http.StatusOK, struct {
		Queue           string        `json:"queue"`
		DeadLetterQueue string        `json:"deadLetterQueue,omitempty"`
		Counts          source.Counts `json:"counts"`
		Messages        []line        `json:"messages"`
	}{d.name, d.deadName(), d.ledger.Counts(), openLines(d.ledger)})
}

// deadName is the name of the dead-letter queue in memory, or empty.
func (d *desk) deadName() string {
	if d.dead == nil {
		return ""
	}
	return d.settings.dead.Name
}

// before returns the handler of the command. Without routes, a function with a queue has
// no API.
func (d *desk) before(api http.Handler, routes routes) http.Handler {
	if d == nil {
		return api
	}
	return atPath(queuePath, "queue", d, api, len(routes) > 0)
}

// start polls until ctx ends. The channel is closed when no batch is under way any more.
func (d *desk) start(ctx context.Context, listener net.Listener) (polled <-chan struct{}) {
	if d == nil {
		return finished()
	}
	if listener != nil {
		queues := []*queue.Queue{d.memory}
		if d.dead != nil {
			queues = append(queues, d.dead)
		}
		server := &http.Server{Handler: queue.API(queues...), ReadHeaderTimeout: headerTimeout}
		go func() { _ = server.Serve(listener) }() // until the listener is closed, at the end
	}
	return inBackground(ctx, d.run, d.console, "queue "+d.name)
}

// left says what is lost, or comes again.
func (d *desk) left() {
	if d == nil {
		return
	}
	counts := d.ledger.Counts()
	switch {
	case d.memory == nil:
		d.console.say("queue %s: %s were done; all others are in the queue still", d.name, plural(counts.Done, "message"))
	case counts.Waiting+counts.DeadLettered == 0:
		d.console.say("queue %s: it is empty", d.name)
	default:
		d.console.say("queue %s: %s are left and %s, which end with the command", d.name,
			plural(counts.Waiting, "message"), plural(counts.DeadLettered, "dead letter"))
	}
}

// describe is for the line behind the routes.
func (d *desk) describe() string {
	if d == nil {
		return ""
	}
	if d.memory == nil {
		return "polls " + d.url + "; GET " + queuePath + " shows its ledger\n"
	}
	text := "  POST " + queuePath + " puts a message into " + d.name + ", GET " + queuePath + " shows its ledger\n"
	if d.dead != nil {
		text += fmt.Sprintf("  what was received %s goes to %s\n", plural(d.settings.maxReceives, "time"), d.settings.dead.Name)
	}
	return text
}

// curl is a command that puts a message.
func (d *desk) curl(base string) string {
	if d.memory == nil {
		return "curl -i " + base + queuePath
	}
	path := base + queuePath
	if strings.HasSuffix(d.name, fifoSuffix) {
		path = "'" + path + "?group=a&dedup=1'"
	}
	return "curl -i -X POST " + path + " -d '{}'"
}
