package policy

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// ARN names a call of an API, or a route of a WebSocket API:
//
//	arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/orders/42
//	arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/$connect
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
type ARN struct {
	Partition string // "aws", "aws-cn", "aws-us-gov"
	Region    string
	Account   string
	API       string
	Stage     string // "$default" is written as it is
	Method    string // "GET"; for a WebSocket API the route, "$connect"
	Path      string // "/orders/42"; "" for a route without a path
}

// ParseARN parses the ARN of a call. The path may contain anything.
func ParseARN(text string) (ARN, error) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "execute-api" {
		return ARN{}, reason.New("policy: not the ARN of an API call: it begins with arn:PARTITION:execute-api:")
	}
	call := strings.SplitN(parts[5], "/", 4)
	if len(call) < 3 {
		return ARN{}, reason.New("policy: an ARN without API, stage and method")
	}
	a := ARN{Partition: parts[1], Region: parts[3], Account: parts[4], API: call[0], Stage: call[1], Method: call[2]}
	if len(call) == 4 {
		a.Path = "/" + call[3]
	}
	return a, a.check()
}

// check refuses an empty part, and a part with a separator in it.
func (a ARN) check() error {
	for _, part := range []string{a.Partition, a.Region, a.Account, a.API, a.Stage, a.Method} {
		if part == "" || strings.ContainsAny(part, ":/") {
			return reason.New("policy: an ARN with a part that is empty or has a colon or a slash in it")
		}
	}
	if a.Path != "" && a.Path[0] != '/' {
		return reason.New("policy: an ARN whose path does not begin with a slash")
	}
	return nil
}

// String returns the ARN as AWS writes it.
func (a ARN) String() string { return a.stagePrefix() + a.Method + a.Path }

func (a ARN) stagePrefix() string {
	return "arn:" + a.Partition + ":execute-api:" + a.Region + ":" + a.Account + ":" + a.API + "/" + a.Stage + "/"
}
