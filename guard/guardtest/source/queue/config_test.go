package queue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

func TestQueuesThatCannotBe(t *testing.T) {
	standard := queue.New(nil, queue.Config{Name: "dead"})
	for name, c := range map[string]struct {
		cfg  queue.Config
		want string
	}{
		"a name":                       {queue.Config{Name: "a/b"}, "a queue's name"},
		"a long name":                  {queue.Config{Name: strings.Repeat("a", 81)}, "a queue's name"},
		"a long visibility":            {queue.Config{VisibilityTimeout: 13 * time.Hour}, "VisibilityTimeout"},
		"a negative delay":             {queue.Config{Delay: -1}, "Delay"},
		"a short retention":            {queue.Config{Retention: time.Second}, "Retention"},
		"a long retention":             {queue.Config{Retention: 15 * 24 * time.Hour}, "Retention"},
		"content of a standard queue":  {queue.Config{ContentBasedDeduplication: true}, "ContentBasedDeduplication"},
		"a redrive without a queue":    {queue.Config{Redrive: queue.Redrive{MaxReceives: 1}}, "Redrive"},
		"a redrive without a number":   {queue.Config{Redrive: queue.Redrive{To: standard}}, "Redrive"},
		"FIFO to standard":             {queue.Config{Name: "q.fifo", Redrive: queue.Redrive{To: standard, MaxReceives: 1}}, "the dead-letter queue of a FIFO queue"},
		"another clock":                {queue.Config{Clock: source.NewClock(begin), Redrive: queue.Redrive{To: standard, MaxReceives: 1}}, "Clock"},
		"a batch without a window":     {queue.Config{Mapping: queue.Mapping{BatchSize: 11}}, "BatchWindow"},
		"a batch of too many":          {queue.Config{Mapping: queue.Mapping{BatchSize: 10_001, BatchWindow: time.Minute}}, "BatchSize"},
		"a long window":                {queue.Config{Mapping: queue.Mapping{BatchWindow: 6 * time.Minute}}, "BatchWindow"},
		"a window of a FIFO queue":     {queue.Config{Name: "q.fifo", Mapping: queue.Mapping{BatchWindow: time.Second}}, "BatchWindow"},
		"a large batch of a FIFO one":  {queue.Config{Name: "q.fifo", Mapping: queue.Mapping{BatchSize: 11, BatchWindow: time.Second}}, "BatchSize"},
		"a concurrency that is over":   {queue.Config{Mapping: queue.Mapping{MaximumConcurrency: 1001}}, "MaximumConcurrency"},
		"a concurrency that is under":  {queue.Config{Mapping: queue.Mapping{MaximumConcurrency: -1}}, "MaximumConcurrency"},
		"a negative number of a batch": {queue.Config{Mapping: queue.Mapping{BatchSize: -1}}, "BatchSize"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "queue: ") || !strings.Contains(text, c.want) {
					t.Errorf("panic %q, want one about %s", text, c.want)
				}
			}()
			queue.New((&function{}).invoker(), c.cfg)
		})
	}
}

func TestMessagesThatSQSRefuses(t *testing.T) {
	attributes := func(name string, a source.Attribute) queue.Message {
		return queue.Message{Body: "x", Attributes: map[string]source.Attribute{name: a}}
	}
	eleven := queue.Message{Body: "x", Attributes: map[string]source.Attribute{}}
	for i := range 11 {
		eleven.Attributes[string(rune('a'+i))] = source.Attribute{String: "x"}
	}
	of := func(m queue.Message, with source.Attribute) queue.Message {
		m.Attributes = map[string]source.Attribute{"a": with}
		return m
	}
	for name, c := range map[string]struct {
		fifo bool
		m    queue.Message
		code string // none: it is taken
	}{
		"a text":                        {m: queue.Message{Body: "x"}},
		"1 MiB":                         {m: queue.Message{Body: strings.Repeat("x", 1<<20)}},
		"all white space":               {m: queue.Message{Body: "\t\r\n "}},
		"the last characters":           {m: queue.Message{Body: "\ud7ff\ue000\ufffd\U00010000\U0010ffff"}},
		"an attribute of each":          {m: attributes("a-B_1.c", source.Attribute{DataType: "Binary.png", Binary: []byte{0}})},
		"a group of a standard queue":   {m: queue.Message{Body: "x", Group: "g"}}, // for fair queues
		"no body":                       {m: queue.Message{}, code: "MissingParameter"},
		"more than 1 MiB":               {m: queue.Message{Body: strings.Repeat("x", 1<<20+1)}, code: "InvalidParameterValue"},
		"more than 1 MiB of attributes": {m: of(queue.Message{Body: strings.Repeat("x", 1<<20-10)}, source.Attribute{String: "1234"}), code: "InvalidParameterValue"},
		"a control character":           {m: queue.Message{Body: "a\x00"}, code: "InvalidMessageContents"},
		"no UTF-8":                      {m: queue.Message{Body: "a\xff"}, code: "InvalidMessageContents"},
		"a noncharacter":                {m: queue.Message{Body: "\uffff"}, code: "InvalidMessageContents"},
		"eleven attributes":             {m: eleven, code: "InvalidParameterValue"},
		"an attribute without a name":   {m: attributes("", source.Attribute{String: "x"}), code: "InvalidParameterValue"},
		"a name with a space":           {m: attributes("a b", source.Attribute{String: "x"}), code: "InvalidParameterValue"},
		"a name of AWS":                 {m: attributes("aws.x", source.Attribute{String: "x"}), code: "InvalidParameterValue"},
		"a name of Amazon":              {m: attributes("Amazon.x", source.Attribute{String: "x"}), code: "InvalidParameterValue"},
		"a name with a last dot":        {m: attributes("x.", source.Attribute{String: "x"}), code: "InvalidParameterValue"},
		"a name with two dots":          {m: attributes("x..y", source.Attribute{String: "x"}), code: "InvalidParameterValue"},
		"a type":                        {m: attributes("x", source.Attribute{DataType: "Text", String: "x"}), code: "InvalidParameterValue"},
		"a value of another type":       {m: attributes("x", source.Attribute{DataType: "Binary", String: "x"}), code: "InvalidParameterValue"},
		"no value":                      {m: attributes("x", source.Attribute{}), code: "InvalidParameterValue"},
		"a value with a character":      {m: attributes("x", source.Attribute{String: "\x01"}), code: "InvalidParameterValue"},
		"a delay that is too long":      {m: queue.Message{Body: "x", Delay: 16 * time.Minute}, code: "InvalidParameterValue"},
		"a deduplication id":            {m: queue.Message{Body: "x", Deduplication: "d"}, code: "InvalidParameterValue"},
		"FIFO":                          {fifo: true, m: queue.Message{Body: "x", Group: "g", Deduplication: "d"}},
		"FIFO without a group":          {fifo: true, m: queue.Message{Body: "x", Deduplication: "d"}, code: "MissingParameter"},
		"FIFO without an id":            {fifo: true, m: queue.Message{Body: "x", Group: "g"}, code: "InvalidParameterValue"},
		"FIFO with a delay":             {fifo: true, m: queue.Message{Body: "x", Group: "g", Deduplication: "d", Delay: 1}, code: "InvalidParameterValue"},
		"FIFO with a long group":        {fifo: true, m: queue.Message{Body: "x", Group: strings.Repeat("g", 129), Deduplication: "d"}, code: "InvalidParameterValue"},
		"FIFO with a space in the id":   {fifo: true, m: queue.Message{Body: "x", Group: "g", Deduplication: "d d"}, code: "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := queue.Config{Name: "q"}
			if c.fifo {
				cfg.Name = "q.fifo"
			}
			q := queue.New(nil, cfg)
			_, err := q.Send(c.m)
			var refusal *source.Refusal
			switch {
			case c.code == "" && err != nil:
				t.Errorf("got %v, want it to be taken", err)
			case c.code != "" && (!errors.As(err, &refusal) || refusal.Code != c.code):
				t.Errorf("got %v, want %s", err, c.code)
			}
			want := 0
			if c.code == "" {
				want = 1
			}
			same(t, "sent", q.Ledger().Counts().Sent, want)
		})
	}
}
