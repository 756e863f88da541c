package origin

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// origin is what an event, and the context of its invocation, say about where it
// comes from. A list has a value for every record, "" if a record lacks it.
type origin struct {
	now      time.Time
	lambda   *lambdacontext.LambdaContext // never nil
	request  *request.Request             // nil if the event is none
	accounts []string
	regions  []string
	apis     []string
	stages   []string
	arns     []string // of the event source
	owners   []string // of buckets
}

func read(ctx context.Context, ev *guard.Event, now time.Time) (*origin, error) {
	o := &origin{now: now, lambda: &lambdacontext.LambdaContext{}}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		o.lambda = lc
	}
	switch t := ev.Trigger(); t {
	case guard.HTTPAPI, guard.FunctionURL, guard.REST, guard.VPCLattice, guard.ALB, guard.WebSocket, guard.Authorizer, guard.AppSync:
		r, err := ev.Request()
		if err != nil {
			return nil, err
		}
		o.readRequest(r)
		return o, nil
	case guard.SQS, guard.Kinesis, guard.DynamoDB, guard.CodeCommit, guard.S3:
		return o, o.readRecords(ev)
	case guard.SNS:
		return o, o.readTopics(ev)
	case guard.Kafka, guard.MQ, guard.DocumentDB, guard.Firehose:
		return o, o.readSource(ev)
	case guard.EventBridge, guard.Cognito:
		return o, o.readEnvelope(ev)
	default: // says nothing
		return o, nil
	}
}

func (o *origin) readRequest(r *request.Request) {
	o.request = r
	said := func(list *[]string, value string) {
		if value != "" {
			*list = append(*list, value)
		}
	}
	said(&o.accounts, r.AccountID())
	said(&o.apis, r.APIID())
	said(&o.stages, r.Stage())
	said(&o.regions, regionOf(r.Domain()))
	if r.ServiceARN() != "" {
		o.source(r.ServiceARN())
	}
	if text := r.ARN(); text != "" { // of a call that an authorizer decides on
		a, _ := policy.ParseARN(text) // a malformed one has another account
		o.accounts, o.regions = append(o.accounts, a.Account), append(o.regions, a.Region)
		o.apis, o.stages = append(o.apis, a.API), append(o.stages, a.Stage)
	}
}

// regionOf returns the region in a domain that AWS has given to an API or a function
// URL, "" for any other domain.
func regionOf(domain string) string {
	labels := strings.SplitN(strings.ToLower(domain), ".", 4)
	if len(labels) < 4 || labels[1] != "execute-api" && labels[1] != "lambda-url" {
		return ""
	}
	switch labels[3] {
	case "amazonaws.com", "amazonaws.com.cn", "vpce.amazonaws.com", "vpce.amazonaws.com.cn", "api.aws", "on.aws":
		return labels[2]
	default:
		return ""
	}
}

// source adds the ARN of an event source, with the account and the region in it.
func (o *origin) source(arn string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		parts, arn = make([]string, 6), ""
	}
	o.arns, o.regions, o.accounts = append(o.arns, arn), append(o.regions, parts[3]), append(o.accounts, parts[4])
}

func (o *origin) readRecords(ev *guard.Event) error {
	type record struct {
		EventSource    string `json:"eventSource"`
		EventSourceARN string `json:"eventSourceARN"`
		AWSRegion      string `json:"awsRegion"`
		S3             struct {
			Bucket struct {
				Name          string `json:"name"`
				ARN           string `json:"arn"`
				OwnerIdentity struct {
					PrincipalID string `json:"principalId"`
				} `json:"ownerIdentity"`
			} `json:"bucket"`
		} `json:"s3"`
	}
	var event struct{ Records []record }
	if err := ev.Decode(&event); err != nil {
		return err
	}
	for _, r := range event.Records {
		if r.EventSource != event.Records[0].EventSource {
			r = record{} // of another service
		}
		o.regions = append(o.regions, r.AWSRegion)
		if ev.Trigger() != guard.S3 {
			o.source(r.EventSourceARN)
			continue
		}
		b := r.S3.Bucket
		if _, name, _ := strings.Cut(b.ARN, ":::"); name == "" || name != b.Name { // by which a handler reads
			b.ARN, b.OwnerIdentity.PrincipalID = "", ""
		}
		o.arns, o.owners = append(o.arns, b.ARN), append(o.owners, b.OwnerIdentity.PrincipalID)
	}
	return nil
}

func (o *origin) readTopics(ev *guard.Event) error {
	var event struct {
		Records []struct {
			EventSource string
			Sns         struct{ TopicArn string }
		}
	}
	if err := ev.Decode(&event); err != nil {
		return err
	}
	for _, r := range event.Records {
		if r.EventSource != "aws:sns" {
			r.Sns.TopicArn = ""
		}
		o.source(r.Sns.TopicArn)
	}
	return nil
}

// readSource reads an event that has its source beside the records.
func (o *origin) readSource(ev *guard.Event) error {
	var event struct {
		EventSourceARN    string `json:"eventSourceArn"`
		DeliveryStreamARN string `json:"deliveryStreamArn"`
		Region            string `json:"region"`
	}
	if err := ev.Decode(&event); err != nil {
		return err
	}
	for _, arn := range []string{event.EventSourceARN, event.DeliveryStreamARN} {
		if arn != "" {
			o.source(arn)
		}
	}
	if event.Region != "" {
		o.regions = append(o.regions, event.Region)
	}
	return nil
}

// readEnvelope reads an event of EventBridge or Cognito.
func (o *origin) readEnvelope(ev *guard.Event) error {
	var event struct {
		Account   string   `json:"account"`
		Region    string   `json:"region"`
		Resources []string `json:"resources"`
	}
	if err := ev.Decode(&event); err != nil {
		return err
	}
	o.accounts, o.regions, o.arns = []string{event.Account}, []string{event.Region}, event.Resources
	return nil
}
