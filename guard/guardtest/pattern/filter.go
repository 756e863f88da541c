package pattern

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// A Source is what an event source mapping reads from.
type Source string

// The sources whose mappings can filter, but for Amazon MQ.
const (
	SQS      Source = "SQS"
	Kinesis  Source = "Kinesis"
	DynamoDB Source = "DynamoDB"
	Kafka    Source = "Kafka"
)

// maxFilters is the quota of filters of a mapping. Lambda allows five, and up to ten on
// request. See https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
const maxFilters = 10

// notOfMappings are the operators that Lambda's table of operators lacks, and that
// EventBridge's table says are not for pipes.
var notOfMappings = []string{
	"wildcard", "anything-but.prefix", "anything-but.suffix", "anything-but.equals-ignore-case", "anything-but.wildcard",
}

// A Filter is the FilterCriteria of an event source mapping: a record passes if any of
// its patterns matches. A nil Filter, and one without patterns, lets every record pass.
// Several goroutines may use it at once.
//
// A pattern reads a record as the source shows it to filters:
//
//   - SQS: the message as it is in the event. body is its text, or the document in it if
//     that is a JSON object or array.
//   - Kinesis: the fields of kinesis and those beside it at one level, with data
//     decoded, and a document if it is JSON.
//   - DynamoDB: the record as it is in the event: dynamodb, eventName and so on.
//   - Kafka: the record as it is in the event, with value and key decoded, and documents
//     if they are JSON.
//
// If a pattern asks for members of such a field and the record has a plain text there, or
// the reverse, the pattern does not match a record of SQS, Kinesis or DynamoDB. For
// Kafka, Lambda leaves out what the pattern says about the field and judges the rest: a
// pattern about value alone then lets the record pass.
//
// The pages of SQS, Kinesis, DynamoDB and Kafka name one field each as the one that can
// be filtered, while the page on filtering names others. NewFilter refuses none. Do not
// rely on what the poller adds, such as eventSource and awsRegion: the page of EventBridge
// Pipes excludes it. eventName of DynamoDB works.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html,
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html,
// https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html,
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html and
// https://docs.aws.amazon.com/lambda/latest/dg/kafka-filtering.html.
type Filter struct {
	source   Source
	patterns []*Pattern
}

// NewFilter returns a Filter of at most ten patterns. It returns an error for what Lambda
// refuses when the mapping is created: a pattern that [Parse] refuses, an operator that
// mappings do not have, and for Kinesis and DynamoDB a pattern for the text of data or
// dynamodb.
func NewFilter(source Source, patterns ...string) (*Filter, error) {
	if !slices.Contains([]Source{SQS, Kinesis, DynamoDB, Kafka}, source) {
		return nil, fmt.Errorf("pattern: there is no source %q", source)
	}
	if len(patterns) > maxFilters {
		return nil, fmt.Errorf("pattern: %d filters are over Lambda's limit of %d", len(patterns), maxFilters)
	}
	f := &Filter{source: source}
	for i, text := range patterns {
		p, err := parse(text)
		if err == nil {
			err = source.check(p)
		}
		if err != nil {
			return nil, fmt.Errorf("pattern: filter %d: %w", i, err)
		}
		f.patterns = append(f.patterns, p)
	}
	return f, nil
}

// ParseFilterCriteria is NewFilter for a FilterCriteria in JSON, as the API and a
// template have it: {"Filters":[{"Pattern":"…"}]}.
func ParseFilterCriteria(source Source, criteria []byte) (*Filter, error) {
	// Names are compared exactly, so not by decoding into a struct: a filter under another
	// name would let every record pass.
	var c map[string][]map[string]*string
	if err := json.Unmarshal(criteria, &c); err != nil {
		return nil, fmt.Errorf("pattern: FilterCriteria is not JSON of its form: %w", withoutText(err))
	}
	if _, there := c["Filters"]; len(c) > 1 || len(c) == 1 && !there {
		return nil, errors.New("pattern: FilterCriteria has no members besides Filters")
	}
	var patterns []string
	for i, filter := range c["Filters"] {
		switch text := filter["Pattern"]; {
		case text == nil:
			return nil, fmt.Errorf("pattern: filter %d: Pattern is missing", i)
		case len(filter) > 1:
			return nil, fmt.Errorf("pattern: filter %d has no members besides Pattern", i)
		default:
			patterns = append(patterns, *text)
		}
	}
	return NewFilter(source, patterns...)
}

// MustFilter is NewFilter that panics if a pattern is refused.
func MustFilter(source Source, patterns ...string) *Filter {
	f, err := NewFilter(source, patterns...)
	if err != nil {
		panic(err)
	}
	return f
}

func (s Source) check(p *Pattern) error {
	for _, a := range p.alternatives {
		for path, c := range a {
			for _, operator := range c.operators {
				if slices.Contains(notOfMappings, operator) {
					return fmt.Errorf("%s: event source mappings have no operator %s", path, operator)
				}
			}
		}
		data := map[Source]string{Kinesis: "data", DynamoDB: "dynamodb"}[s]
		if value, _ := a.asks(data); value {
			return fmt.Errorf("%s: must be an object, since %s takes JSON there", data, s)
		}
	}
	return nil
}

// Match reports whether the record passes. The record is an element of the event's
// Records, or for Kafka of one of the lists in records. It returns an error if the record
// is not a JSON object, or lacks the field that its source always has. A field with
// data may also have been replaced by the document in it.
func (f *Filter) Match(record []byte) (bool, error) {
	if f == nil || len(f.patterns) == 0 {
		return true, nil
	}
	root, err := decode(record)
	if err != nil {
		return false, fmt.Errorf("pattern: record is %w", err)
	}
	if root.kind != object {
		return false, fmt.Errorf("pattern: a record is an object, not %s", root.kind)
	}
	shown, err := f.source.show(root)
	if err != nil {
		return false, err
	}
	leaves := fields{}
	leaves.add("", nil, shown.record)
	for _, p := range f.patterns {
		if slices.ContainsFunc(p.alternatives, func(a alternative) bool { return f.match(leaves, shown, a) }) {
			return true, nil
		}
	}
	return false, nil
}

func (f *Filter) match(leaves fields, shown shown, a alternative) bool {
	for name, is := range shown.data {
		value, members := a.asks(name)
		mismatch := is == document && value || is != document && members || is == undecodable && value
		switch {
		case !mismatch:
		case f.source == Kafka:
			a = a.without(name)
		default:
			return false
		}
	}
	return leaves.match(a)
}

// shown is a record as filters see it, and the form of its data.
type shown struct {
	record node
	data   map[string]form
}

type form int

const (
	plain form = iota
	document
	undecodable // bytes that are not UTF-8
)

func (s Source) show(record node) (shown, error) {
	out := shown{record: record, data: map[string]form{}}
	var err error
	switch s {
	case SQS:
		err = out.take("body", true, fromText)
	case Kinesis:
		var inner node
		if inner, err = record.object("kinesis"); err != nil {
			break
		}
		beside := slices.DeleteFunc(slices.Clone(record.members), func(m member) bool { return m.name == "kinesis" })
		out.record.members = slices.Concat(inner.members, beside)
		err = out.take("data", true, fromBase64)
	case DynamoDB:
		_, err = record.object("dynamodb")
		out.data["dynamodb"] = document
	case Kafka:
		if err = out.take("value", false, fromBase64); err == nil {
			err = out.take("key", false, fromBase64)
		}
	}
	return out, err
}

// take puts what read makes of a member's text into the record.
func (s *shown) take(name string, required bool, read func(string) (node, form, error)) error {
	record := s.record
	i := slices.IndexFunc(record.members, func(m member) bool { return m.name == name })
	switch {
	case i < 0 && required:
		return fmt.Errorf("pattern: the record has no %s", name)
	case i < 0 || !required && record.members[i].value.kind == null: // a Kafka record without a key or a value
		return nil
	case record.members[i].value.kind == object || record.members[i].value.kind == array: // the caller has decoded it
		s.data[name] = document
		return nil
	case record.members[i].value.kind != text:
		return fmt.Errorf("pattern: %s of the record must be a string, not %s", name, record.members[i].value.kind)
	}
	n, is, err := read(record.members[i].value.text)
	if err != nil {
		return fmt.Errorf("pattern: %s of the record: %w", name, err)
	}
	s.record.members = slices.Clone(record.members)
	s.record.members[i].value, s.data[name] = n, is
	return nil
}

// fromText takes an object or an array for JSON. Lambda's pages do not say what a body
// is that holds a number or a quoted string alone; here it is a plain text.
func fromText(s string) (node, form, error) {
	if n, err := decode([]byte(s)); err == nil && (n.kind == object || n.kind == array) {
		return n, document, nil
	}
	return node{kind: text, text: s}, plain, nil
}

func fromBase64(s string) (node, form, error) {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return node{}, plain, errors.New("is not base64")
	}
	if !utf8.Valid(data) {
		return node{kind: text, text: s}, undecodable, nil
	}
	return fromText(string(data))
}

func (n node) object(name string) (node, error) {
	for _, m := range n.members {
		if m.name == name && m.value.kind == object {
			return m.value, nil
		}
	}
	return node{}, fmt.Errorf("pattern: the record has no object %s", name)
}
