package authorizer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Document is an IAM policy about calls of an API. The zero value denies all.
//
// In a resource of a policy "*" stands for any text, slashes included, "?" for any
// character, and "${" begins a variable; none of them can be escaped. Its methods
// return an error for an ARN with any of these in it, for one that is not whole, and
// for one of more than 512 characters. The only pattern they write is "/*", after a
// whole segment.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
type Document struct {
	allow, deny []string
	anyStage    bool // "*" is the name of the stage: an event of AWS's own has it
}

// Allow allows one call.
func (d *Document) Allow(a ARN) error { return d.add(&d.allow, a, "") }

// Deny denies one call, whatever the document allows.
func (d *Document) Deny(a ARN) error { return d.add(&d.deny, a, "") }

// AllowBelow allows all calls whose path begins with that of a and a slash. With an
// empty path it allows all calls of the method, and with an empty method as well all
// calls of the stage.
func (d *Document) AllowBelow(a ARN) error { return d.add(&d.allow, a, "/*") }

// DenyBelow denies what [Document.AllowBelow] would allow, whatever the document
// allows.
func (d *Document) DenyBelow(a ARN) error { return d.add(&d.deny, a, "/*") }

func (d *Document) add(to *[]string, a ARN, tail string) error {
	whole := a
	if tail != "" && a.Method == "" && a.Path == "" {
		whole.Method, tail = anyMethod, "*"
	}
	if err := whole.check(); err != nil {
		return err
	}
	if tail != "" && strings.HasSuffix(a.Path, "/") {
		return reason.New("authorizer: a policy for what is below a path that ends in a slash")
	}
	named := a
	if named.Stage == "*" && d.anyStage {
		named.Stage = "any"
	}
	text := named.String()
	if strings.ContainsAny(text, "*?") || strings.Contains(text, "${") {
		return reason.New("authorizer: a policy for an ARN with a wildcard in it: it would allow more than this call")
	}
	text = a.String() + tail
	if len(text) > maxARN {
		return fmt.Errorf("authorizer: a policy for an ARN of more than %d characters", maxARN)
	}
	if !slices.Contains(*to, text) {
		*to = append(*to, text)
	}
	return nil
}

// denyBelowStage denies calls of the stage by patterns of ours.
func (d *Document) denyBelowStage(a ARN, patterns ...string) {
	for _, p := range patterns {
		if text := a.stagePrefix() + p; !slices.Contains(d.deny, text) {
			d.deny = append(d.deny, text)
		}
	}
}

// MarshalJSON returns the policy in the version 2012-10-17. The error is nil.
func (d Document) MarshalJSON() ([]byte, error) { return d.append(nil), nil }

func (d Document) append(b []byte) []byte {
	b = append(b, `{"Version":"2012-10-17","Statement":[`...)
	if len(d.allow) == 0 && len(d.deny) == 0 {
		d.deny = []string{"*"}
	}
	if len(d.allow) > 0 {
		b = appendStatement(b, "Allow", d.allow)
	}
	if len(d.deny) > 0 {
		if len(d.allow) > 0 {
			b = append(b, ',')
		}
		b = appendStatement(b, "Deny", d.deny)
	}
	return append(b, `]}`...)
}

func appendStatement(b []byte, effect string, resources []string) []byte {
	b = append(b, `{"Action":"execute-api:Invoke","Effect":"`...)
	b = append(b, effect...)
	b = append(b, `","Resource":[`...)
	for i, resource := range resources {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(resource, "\uFFFD"))
	}
	return append(b, `]}`...)
}
