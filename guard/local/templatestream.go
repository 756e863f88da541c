package main

import (
	"cmp"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// templateStream returns the stream of the first event of type Kinesis or DynamoDB of a
// function whose code is in dir, or nil if there is none.
func templateStream(dir string) (*stream.Config, error) {
	name, text, err := readTemplate(dir)
	if err != nil || name == "" {
		return nil, err
	}
	var t samTemplate
	if err := yaml.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var found *stream.Config
	err = t.events(func(eventType string, properties *yaml.Node) (bool, error) {
		cfg := &stream.Config{}
		switch eventType {
		case "Kinesis":
			cfg.Type = stream.Kinesis
		case "DynamoDB":
			cfg.Type = stream.DynamoDB
		default:
			return false, nil
		}
		found = cfg
		return true, t.stream(properties, cfg)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return found, nil
}

// onDemandShards are those that a stream without a ShardCount begins with.
// https://docs.aws.amazon.com/streams/latest/dev/how-do-i-size-a-stream.html
const onDemandShards = 4

// stream reads an event of type Kinesis or DynamoDB.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-kinesis.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-dynamodb.html
func (t *samTemplate) stream(event *yaml.Node, cfg *stream.Config) (err error) {
	id := t.resource(at(event, "Stream"))
	if id == "" {
		return fmt.Errorf("its Stream is neither an ARN nor !GetAtt of one")
	}
	properties := at(at(&t.Resources, id), "Properties")
	cfg.Name = cmp.Or(t.text(at(properties, "Name")), t.text(at(properties, "TableName")), id)
	for name, field := range map[string]*int{
		"BatchSize":             &cfg.BatchSize,
		"ParallelizationFactor": &cfg.ParallelizationFactor,
	} {
		if *field, err = t.number(at(event, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if cfg.Type == stream.Kinesis {
		if cfg.Shards, err = t.number(at(properties, "ShardCount")); err != nil {
			return fmt.Errorf("%s: ShardCount: %w", id, err)
		}
		cfg.Shards = cmp.Or(cfg.Shards, onDemandShards)
	}
	for name, field := range map[string]*time.Duration{
		"MaximumBatchingWindowInSeconds": &cfg.BatchWindow,
		"MaximumRecordAgeInSeconds":      &cfg.MaximumRecordAge,
	} {
		if *field, err = t.seconds(at(event, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	cfg.MaximumRecordAge = max(cfg.MaximumRecordAge, 0) // -1 is without end
	if node := at(event, "MaximumRetryAttempts"); node != nil {
		n, err := t.number(node)
		if err != nil {
			return fmt.Errorf("MaximumRetryAttempts: %w", err)
		}
		if n >= 0 { // -1 is without end
			cfg.MaximumRetryAttempts = &n
		}
	}
	cfg.BisectBatchOnFunctionError = t.text(at(event, "BisectBatchOnFunctionError")) == "true"
	cfg.ReportBatchItemFailures = t.reports(event)
	of := pattern.Kinesis
	if cfg.Type == stream.DynamoDB {
		of = pattern.DynamoDB
	}
	cfg.Filter, err = t.filter(event, of)
	return err
}
