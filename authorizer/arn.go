package authorizer

import (
	"fmt"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// ARN names a call of an API, or of a WebSocket API a route:
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
	Stage     string // "$default" literally
	Method    string // "GET"; of a WebSocket API the route, "$connect"
	Path      string // "/orders/42" with its slashes; "" of a route without one
}

// maxARN is how long the gateway lets a resource of a policy be.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxARN = 512

// ParseARN parses the ARN of a call. The path may have anything in it. The error is
// that of a text which is no such ARN.
func ParseARN(text string) (ARN, error) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "execute-api" {
		return ARN{}, reason.New("authorizer: not the ARN of an API's call")
	}
	a := ARN{Partition: parts[1], Region: parts[3], Account: parts[4]}
	call := strings.SplitN(parts[5], "/", 4)
	if len(call) < 3 {
		return ARN{}, reason.New("authorizer: an ARN without API, stage and method")
	}
	a.API, a.Stage, a.Method = call[0], call[1], call[2]
	if len(call) == 4 {
		a.Path = "/" + call[3]
	}
	if err := a.check(); err != nil {
		return ARN{}, err
	}
	return a, nil
}

// check holds the parts in front of the path to what cannot be mistaken for
// another part.
func (a ARN) check() error {
	for _, part := range [...]struct{ name, text string }{
		{"partition", a.Partition},
		{"region", a.Region},
		{"account", a.Account},
		{"API", a.API},
		{"stage", a.Stage},
		{"method", a.Method},
	} {
		if part.text == "" || strings.ContainsAny(part.text, ":/") {
			return fmt.Errorf("authorizer: an ARN with the %s %q", part.name, part.text)
		}
	}
	if a.Path != "" && a.Path[0] != '/' {
		return reason.New("authorizer: an ARN whose path does not begin with a slash")
	}
	return nil
}

// String returns the ARN as AWS writes it.
func (a ARN) String() string {
	return a.stagePrefix() + a.Method + a.Path
}

// stagePrefix is all up to the method.
func (a ARN) stagePrefix() string {
	return "arn:" + a.Partition + ":execute-api:" + a.Region + ":" + a.Account + ":" + a.API + "/" + a.Stage + "/"
}
