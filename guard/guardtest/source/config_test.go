package source_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

func TestQueuesThatCannotBe(t *testing.T) {
	standard := source.NewQueue(nil, source.QueueConfig{Name: "dead"})
	for name, c := range map[string]struct {
		cfg  source.QueueConfig
		want string
	}{
		"a name":                       {source.QueueConfig{Name: "a/b"}, "a queue's name"},
		"a long name":                  {source.QueueConfig{Name: strings.Repeat("a", 81)}, "a queue's name"},
		"a long visibility":            {source.QueueConfig{VisibilityTimeout: 13 * time.Hour}, "VisibilityTimeout"},
		"a negative delay":             {source.QueueConfig{Delay: -1}, "Delay"},
		"a short retention":            {source.QueueConfig{Retention: time.Second}, "Retention"},
		"a long retention":             {source.QueueConfig{Retention: 15 * 24 * time.Hour}, "Retention"},
		"content of a standard queue":  {source.QueueConfig{ContentBasedDeduplication: true}, "ContentBasedDeduplication"},
		"a redrive without a queue":    {source.QueueConfig{Redrive: source.Redrive{MaxReceives: 1}}, "Redrive"},
		"a redrive without a number":   {source.QueueConfig{Redrive: source.Redrive{To: standard}}, "Redrive"},
		"FIFO to standard":             {source.QueueConfig{Name: "q.fifo", Redrive: source.Redrive{To: standard, MaxReceives: 1}}, "the dead-letter queue of a FIFO queue"},
		"another clock":                {source.QueueConfig{Clock: source.NewClock(begin), Redrive: source.Redrive{To: standard, MaxReceives: 1}}, "Clock"},
		"a batch without a window":     {source.QueueConfig{Mapping: source.Mapping{BatchSize: 11}}, "BatchWindow"},
		"a batch of too many":          {source.QueueConfig{Mapping: source.Mapping{BatchSize: 10_001, BatchWindow: time.Minute}}, "BatchSize"},
		"a long window":                {source.QueueConfig{Mapping: source.Mapping{BatchWindow: 6 * time.Minute}}, "BatchWindow"},
		"a window of a FIFO queue":     {source.QueueConfig{Name: "q.fifo", Mapping: source.Mapping{BatchWindow: time.Second}}, "BatchWindow"},
		"a large batch of a FIFO one":  {source.QueueConfig{Name: "q.fifo", Mapping: source.Mapping{BatchSize: 11, BatchWindow: time.Second}}, "BatchSize"},
		"a concurrency that is over":   {source.QueueConfig{Mapping: source.Mapping{MaximumConcurrency: 1001}}, "MaximumConcurrency"},
		"a concurrency that is under":  {source.QueueConfig{Mapping: source.Mapping{MaximumConcurrency: -1}}, "MaximumConcurrency"},
		"a negative number of a batch": {source.QueueConfig{Mapping: source.Mapping{BatchSize: -1}}, "BatchSize"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "source: ") || !strings.Contains(text, c.want) {
					t.Errorf("panic %q, want one about %s", text, c.want)
				}
			}()
			source.NewQueue((&function{}).invoker(), c.cfg)
		})
	}
}

func TestMessagesThatSQSRefuses(t *testing.T) {
	attributes := func(name string, a source.Attribute) source.Message {
		return source.Message{Body: "x", Attributes: map[string]source.Attribute{name: a}}
	}
	eleven := source.Message{Body: "x", Attributes: map[string]source.Attribute{}}
	for i := range 11 {
		eleven.Attributes[string(rune('a'+i))] = source.Attribute{String: "x"}
	}
	of := func(m source.Message, with source.Attribute) source.Message {
		m.Attributes = map[string]source.Attribute{"a": with}
		return m
	}
	for name, c := range map[string]struct {
		fifo bool
		m    source.Message
		code string // none: it is taken
	}{
		"a text":                        {m: source.Message{Body: "x"}},
		"1 MiB":                         {m: source.Message{Body: strings.Repeat("x", 1<<20)}},
		"all white space":               {m: source.Message{Body: "\t\r\n "}},
		"the last characters":           {m: source.Message{Body: "\ud7ff\ue000\ufffd\U00010000\U0010ffff"}},
		"an attribute of each":          {m: attributes("a-B_1.c", source.Attribute{DataType: "Binary.png", Binary: []byte{0}})},
		"a group of a standard queue":   {m: source.Message{Body: "x", Group: "g"}}, // for fair queues
		"no body":                       {m: source.Message{}, code: "MissingParameter"},
		"more than 1 MiB":               {m: source.Message{Body: strings.Repeat("x", 1<<20+1)}, code: "InvalidParameterValue"},
		"more than 1 MiB of attributes": {m: of(source.Message{Body: strings.Repeat("x", 1<<20-10)}, source.Attribute{String: "1234"}), code: "InvalidParameterValue"},
		"a control character":           {m: source.Message{Body: "a\x00"}, code: "InvalidMessageContents"},
		"no UTF-8":                      {m: source.Message{Body: "a\xff"}, code: "InvalidMessageContents"},
		"a noncharacter":                {m: source.Message{Body: "\uffff"}, code: "InvalidMessageContents"},
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
		"a delay that is too long":      {m: source.Message{Body: "x", Delay: 16 * time.Minute}, code: "InvalidParameterValue"},
		"a deduplication id":            {m: source.Message{Body: "x", Deduplication: "d"}, code: "InvalidParameterValue"},
		"FIFO":                          {fifo: true, m: source.Message{Body: "x", Group: "g", Deduplication: "d"}},
		"FIFO without a group":          {fifo: true, m: source.Message{Body: "x", Deduplication: "d"}, code: "MissingParameter"},
		"FIFO without an id":            {fifo: true, m: source.Message{Body: "x", Group: "g"}, code: "InvalidParameterValue"},
		"FIFO with a delay":             {fifo: true, m: source.Message{Body: "x", Group: "g", Deduplication: "d", Delay: 1}, code: "InvalidParameterValue"},
		"FIFO with a long group":        {fifo: true, m: source.Message{Body: "x", Group: strings.Repeat("g", 129), Deduplication: "d"}, code: "InvalidParameterValue"},
		"FIFO with a space in the id":   {fifo: true, m: source.Message{Body: "x", Group: "g", Deduplication: "d d"}, code: "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			queue := source.QueueConfig{Name: "q"}
			if c.fifo {
				queue.Name = "q.fifo"
			}
			q := source.NewQueue(nil, queue)
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
