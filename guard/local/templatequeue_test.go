package main

import (
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

func TestQueueIsThatOfTheTemplate(t *testing.T) {
	// A function with one event, and what else there is.
	template := func(event, resources string) string {
		return "Parameters:\n  Size: {Type: Number, Default: 7}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: .\n      Events:\n        E: " + event + "\n" + resources
	}
	for name, c := range map[string]struct {
		text string
		want *queueSettings
		err  string
	}{
		"no function": {text: "Resources: {}"},
		"no event":    {text: template("{Type: HttpApi}", "")},
		"an ARN": {
			text: template("{Type: SQS, Properties: {Queue: arn:aws:sqs:us-east-1:123456789012:orders}}", ""),
			want: &queueSettings{queue: queue.Config{Name: "orders"}},
		},
		"all of it": {
			text: template(`{Type: SQS, Properties: {Queue: !GetAtt Q.Arn, BatchSize: !Ref Size, MaximumBatchingWindowInSeconds: 2, ScalingConfig: {MaximumConcurrency: 3}, FunctionResponseTypes: [ReportBatchItemFailures]}}`, `
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: orders, VisibilityTimeout: 60, DelaySeconds: 5, MessageRetentionPeriod: 3600, RedrivePolicy: {deadLetterTargetArn: !GetAtt D.Arn, maxReceiveCount: 4}}}
  D: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${X}-dead", MessageRetentionPeriod: 1209600}}
`),
			want: &queueSettings{
				queue: queue.Config{
					Name: "orders", VisibilityTimeout: time.Minute, Delay: 5 * time.Second, Retention: time.Hour,
					Mapping: queue.Mapping{BatchSize: 7, BatchWindow: 2 * time.Second, MaximumConcurrency: 3, ReportBatchItemFailures: true},
				},
				dead: queue.Config{Name: "D", Retention: 14 * 24 * time.Hour}, maxReceives: 4,
			},
		},
		"FIFO, in the long form": {
			text: template("{Type: SQS, Properties: {Queue: {\"Fn::GetAtt\": [Q, Arn]}, BatchSize: {Ref: Size}}}", `
  Q: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}
`),
			want: &queueSettings{queue: queue.Config{Name: "Q.fifo", ContentBasedDeduplication: true, Mapping: queue.Mapping{BatchSize: 7}}},
		},
		"what is not known here": {
			text: template("{Type: SQS, Properties: {Queue: !GetAtt [Q, Arn], BatchSize: !If [A, 1, 2]}}", `
  Q: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !ImportValue V}}
`),
			want: &queueSettings{queue: queue.Config{Name: "Q"}},
		},
		"no queue":    {text: template("{Type: SQS, Properties: {BatchSize: 1}}", ""), err: "F: E: its Queue is neither"},
		"no number":   {text: template("{Type: SQS, Properties: {Queue: !GetAtt Q.Arn, BatchSize: ten}}", ""), err: `F: E: BatchSize: "ten" is not a number`},
		"no filter":   {text: template("{Type: SQS, Properties: {Queue: !GetAtt Q.Arn, FilterCriteria: {Filters: [{Pattern: '{'}]}}}", ""), err: "F: E: FilterCriteria: pattern: filter 0"},
		"no dead one": {text: template("{Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}", "  Q: {Properties: {RedrivePolicy: {maxReceiveCount: 3}}}"), err: "F: E: Q: RedrivePolicy: "},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseQueue([]byte(c.text))
			switch {
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %s", err, c.err)
				}
			case err != nil:
				t.Error(err)
			case (got == nil) != (c.want == nil):
				t.Errorf("got %+v, want %+v", got, c.want)
			case got != nil && !sameQueue(got, c.want):
				t.Errorf("got %+v, want %+v", *got, *c.want)
			}
		})
	}
}

// sameQueue compares what a template can say, but for the filter.
func sameQueue(a, b *queueSettings) bool {
	same := func(a, b queue.Config) bool {
		return a.Name == b.Name && a.VisibilityTimeout == b.VisibilityTimeout && a.Delay == b.Delay && a.Retention == b.Retention &&
			a.ContentBasedDeduplication == b.ContentBasedDeduplication && a.Mapping.BatchSize == b.Mapping.BatchSize && a.Mapping.BatchWindow == b.Mapping.BatchWindow &&
			a.Mapping.MaximumConcurrency == b.Mapping.MaximumConcurrency && a.Mapping.ReportBatchItemFailures == b.Mapping.ReportBatchItemFailures
	}
	return same(a.queue, b.queue) && same(a.dead, b.dead) && a.maxReceives == b.maxReceives
}

func TestFilterOfTheTemplate(t *testing.T) {
	got, err := templateQueue("testdata/queue")
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]bool{`"ignored"`: false, `"good"`: true, `"{\"order\":1}"`: true} {
		if matches, err := got.queue.Mapping.Filter.Match([]byte(`{"body":` + body + `}`)); err != nil || matches != want {
			t.Errorf("%s: got %v, %v, want %v", body, matches, err, want)
		}
	}
}
