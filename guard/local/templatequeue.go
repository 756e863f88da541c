package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// templateQueue returns the queue of the first event of type SQS of a function whose
// code is in dir, or nil if there is none.
func templateQueue(dir string) (*queueSettings, error) {
	name, text, err := readTemplate(dir)
	if err != nil || name == "" {
		return nil, err
	}
	queue, err := parseQueue(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return queue, nil
}

// queueSettings describe a queue with its mapping, and its dead-letter queue.
type queueSettings struct {
	queue       queue.Config
	dead        queue.Config // without a name, there is none
	maxReceives int
}

// A samTemplate is the used part of a template.
type samTemplate struct {
	Parameters yaml.Node `yaml:"Parameters"`
	Resources  yaml.Node `yaml:"Resources"`
}

func parseQueue(text []byte) (found *queueSettings, err error) {
	var t samTemplate
	if err := yaml.Unmarshal(text, &t); err != nil {
		return nil, err
	}
	err = t.events(func(eventType string, properties *yaml.Node) (done bool, err error) {
		if eventType == "SQS" {
			found, err = t.queue(properties)
		}
		return found != nil, err
	})
	return found, err
}

// events calls visit with each event of the functions whose code is beside the template,
// until it is done.
func (t *samTemplate) events(visit func(eventType string, properties *yaml.Node) (done bool, err error)) error {
	for name, node := range members(&t.Resources) {
		var fn samFunction
		if err := node.Decode(&fn); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if fn.Type != "AWS::Serverless::Function" || !beside(fn.Properties.CodeURI.Value) {
			continue
		}
		for event, node := range members(&fn.Properties.Events) {
			done, err := visit(t.text(at(node, "Type")), at(node, "Properties"))
			if err != nil {
				return fmt.Errorf("%s: %s: %w", name, event, err)
			}
			if done {
				return nil
			}
		}
	}
	return nil
}

// queue reads an event of type SQS and the queue it names.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-sqs.html
func (t *samTemplate) queue(event *yaml.Node) (*queueSettings, error) {
	s := &queueSettings{}
	if err := t.mapping(event, &s.queue.Mapping); err != nil {
		return nil, err
	}
	id := t.resource(at(event, "Queue"))
	if id == "" {
		return nil, errors.New("its Queue is neither an ARN nor !GetAtt of a queue")
	}
	properties, err := t.queueConfig(id, &s.queue)
	if err != nil {
		return nil, err
	}
	policy := at(properties, "RedrivePolicy")
	if policy == nil {
		return s, nil
	}
	if s.maxReceives, err = t.number(at(policy, "maxReceiveCount")); err != nil {
		return nil, fmt.Errorf("%s: maxReceiveCount: %w", id, err)
	}
	dead := t.resource(at(policy, "deadLetterTargetArn"))
	if dead == "" || s.maxReceives < 1 {
		return nil, fmt.Errorf("%s: RedrivePolicy: it needs maxReceiveCount and deadLetterTargetArn", id)
	}
	_, err = t.queueConfig(dead, &s.dead)
	return s, err
}

func (t *samTemplate) mapping(event *yaml.Node, m *queue.Mapping) (err error) {
	if m.BatchSize, err = t.number(at(event, "BatchSize")); err != nil {
		return fmt.Errorf("BatchSize: %w", err)
	}
	if m.BatchWindow, err = t.seconds(at(event, "MaximumBatchingWindowInSeconds")); err != nil {
		return fmt.Errorf("MaximumBatchingWindowInSeconds: %w", err)
	}
	if m.MaximumConcurrency, err = t.number(at(at(event, "ScalingConfig"), "MaximumConcurrency")); err != nil {
		return fmt.Errorf("MaximumConcurrency: %w", err)
	}
	m.ReportBatchItemFailures = t.reports(event)
	m.Filter, err = t.filter(event, pattern.SQS)
	return err
}

// reports says whether a mapping has ReportBatchItemFailures.
func (t *samTemplate) reports(event *yaml.Node) bool {
	for node := range elements(at(event, "FunctionResponseTypes")) {
		if t.text(node) == "ReportBatchItemFailures" {
			return true
		}
	}
	return false
}

// filter is that of a mapping, or nil.
func (t *samTemplate) filter(event *yaml.Node, of pattern.Source) (source.Filter, error) {
	var patterns []string
	for node := range elements(at(at(event, "FilterCriteria"), "Filters")) {
		patterns = append(patterns, t.text(at(node, "Pattern")))
	}
	if len(patterns) == 0 {
		return nil, nil
	}
	filter, err := pattern.NewFilter(of, patterns...)
	if err != nil {
		return nil, fmt.Errorf("FilterCriteria: %w", err)
	}
	return filter, nil
}

// queueConfig reads a queue, and returns its properties. One that is not in the template
// has the defaults.
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sqs-queue.html
func (t *samTemplate) queueConfig(id string, cfg *queue.Config) (properties *yaml.Node, err error) {
	properties = at(at(&t.Resources, id), "Properties")
	cfg.Name = queueName(t.text(at(properties, "QueueName")), id, t.text(at(properties, "FifoQueue")) == "true")
	cfg.ContentBasedDeduplication = t.text(at(properties, "ContentBasedDeduplication")) == "true"
	for name, field := range map[string]*time.Duration{
		"VisibilityTimeout":      &cfg.VisibilityTimeout,
		"DelaySeconds":           &cfg.Delay,
		"MessageRetentionPeriod": &cfg.Retention,
	} {
		if *field, err = t.seconds(at(properties, name)); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", id, name, err)
		}
	}
	return properties, nil
}

// queueName is the name in the template, or else the id of the resource.
func queueName(name, id string, fifo bool) string {
	if name == "" {
		name = id
	}
	if base, is := strings.CutSuffix(name, fifoSuffix); is || fifo {
		return base + fifoSuffix
	}
	return name
}

// at is a member of a mapping, or nil.
func at(mapping *yaml.Node, name string) *yaml.Node {
	if mapping == nil {
		return nil
	}
	for member, node := range members(mapping) {
		if member == name {
			return node
		}
	}
	return nil
}

// elements iterates over a list.
func elements(list *yaml.Node) func(yield func(*yaml.Node) bool) {
	return func(yield func(*yaml.Node) bool) {
		if list == nil || list.Kind != yaml.SequenceNode {
			return
		}
		for _, node := range list.Content {
			if !yield(node) {
				return
			}
		}
	}
}

// text is a plain value, or the default of the parameter that is referred to. It is empty
// for any other function of CloudFormation, whose result is not known here.
func (t *samTemplate) text(node *yaml.Node) string {
	switch {
	case node == nil:
		return ""
	case node.Kind == yaml.ScalarNode && node.Tag == "!Ref":
		return t.text(at(at(&t.Parameters, node.Value), "Default"))
	case node.Kind == yaml.ScalarNode && strings.HasPrefix(node.Tag, "!!"):
		return node.Value
	case at(node, "Ref") != nil:
		return t.text(at(at(&t.Parameters, at(node, "Ref").Value), "Default"))
	}
	return ""
}

func (t *samTemplate) number(node *yaml.Node) (int, error) {
	text := t.text(node)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return n, nil
}

func (t *samTemplate) seconds(node *yaml.Node) (time.Duration, error) {
	n, err := t.number(node)
	return time.Duration(n) * time.Second, err
}

// resource is the logical id in a !GetAtt, or the name at the end of an ARN.
func (t *samTemplate) resource(node *yaml.Node) string {
	if node == nil {
		return ""
	}
	if long := at(node, "Fn::GetAtt"); long != nil {
		node = long
	} else if node.Tag != "!GetAtt" {
		arn := t.text(node)
		return arn[strings.LastIndex(arn, ":")+1:]
	}
	if node.Kind == yaml.SequenceNode && len(node.Content) > 0 {
		return node.Content[0].Value
	}
	id, _, _ := strings.Cut(node.Value, ".")
	return id
}
