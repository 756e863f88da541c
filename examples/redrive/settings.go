package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard/batch/largemessage"
)

// settings are the flags of the command.
type settings struct {
	from, function, to, save, payloads string

	rate    float64
	max     int
	dryRun  bool
	visible time.Duration
}

func (s settings) check() error {
	fromBucket, fromPrefix, ofBucket := bucketOf(s.from)
	saveBucket, savePrefix, toBucket := bucketOf(s.save)
	switch {
	case s.from == "":
		return errors.New("-from is missing: where are the dead letters?")
	case !ofBucket && !isURL(s.from):
		return errors.New("-from is neither the URL of a queue nor s3://bucket/prefix")
	case s.function == "" && s.to == "" || s.function != "" && s.to != "":
		return errors.New("want either -function or -to")
	case s.to != "" && !isURL(s.to):
		return errors.New("-to is not the URL of a queue")
	case s.to == s.from:
		return errors.New("-to is the queue of -from")
	case s.save == "" && !ofBucket && !s.dryRun:
		return errors.New("-save is missing: where is each dead letter saved before it runs?")
	case ofBucket && toBucket && fromBucket == saveBucket && (strings.HasPrefix(savePrefix, fromPrefix) || strings.HasPrefix(fromPrefix, savePrefix)):
		return errors.New("-save and -from overlap: what is saved would run again")
	case !(s.rate >= 0.001):
		return fmt.Errorf("-rate is %v, want at least 0.001", s.rate)
	case s.max < 0:
		return fmt.Errorf("-max is %d, want at least 0", s.max)
	case s.visible < time.Second || s.visible > 12*time.Hour:
		return fmt.Errorf("-visibility is %v, want 1s to 12h", s.visible)
	}
	return nil
}

func isURL(text string) bool {
	return strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")
}

// bucketOf returns the parts of s3://bucket/prefix.
func bucketOf(text string) (name, prefix string, ok bool) {
	rest, ok := strings.CutPrefix(text, "s3://")
	name, prefix, _ = strings.Cut(rest, "/")
	return name, prefix, ok && name != ""
}

// cloud is the settings with the clients of AWS.
type cloud struct {
	settings
	queues    *sqs.Client
	objects   *s3.Client
	functions *lambda.Client
}

func connect(ctx context.Context, s settings) (*cloud, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true })
	functions := lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.Retryer = retry.NewStandard(onlyThrottled) })
	return &cloud{settings: s, queues: sqs.NewFromConfig(cfg), objects: objects, functions: functions}, nil
}

// onlyThrottled has no invocation tried again that may have run: by default the SDK
// tries again when an answer is lost.
func onlyThrottled(o *retry.StandardOptions) {
	o.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
}

// redrive returns one run.
func (c *cloud) redrive(log *slog.Logger) *redrive {
	f := new(forms)
	if c.payloads != "" {
		f.payloads = largemessage.Fetch(c.objects, c.payloads)
	}
	r := &redrive{log: log, rate: c.rate, max: c.max, dryRun: c.dryRun, spare: time.Minute}
	if name, prefix, ok := bucketOf(c.from); ok {
		r.from = &deadBucket{client: c.objects, bucket: name, prefix: prefix, forms: f}
	} else {
		r.from = &deadQueue{client: c.queues, url: c.from, forms: f, visible: c.visible, held: map[string]string{}}
	}
	if c.to != "" {
		r.to = &queue{client: c.queues, url: c.to}
	} else {
		r.to = &function{client: c.functions, name: c.function}
	}
	if c.dryRun || c.save == "" {
		return r
	}
	if name, prefix, ok := bucketOf(c.save); ok {
		r.save = toBucket(c.objects, name, prefix)
	} else {
		r.save = toFolder(c.save)
	}
	return r
}
