package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// maxARN is the longest resource that the gateway takes in a policy.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxARN = 512

// Document is an IAM policy about calls of an API. The zero value denies all calls.
// Encode it with encoding/json.
//
// In the resource of a policy "*" matches any text, slashes included, "?" matches
// any character, and "${" begins a variable. None of them can be escaped. The methods
// of Document therefore return an error for an ARN that contains one. They also
// refuse an ARN with a missing part or of more than 512 characters.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
type Document struct {
	// AnyStage accepts "*" as the stage, which the sample events of AWS have.
	AnyStage bool

	allow, deny []string
}

// Allow allows one call.
func (d *Document) Allow(a ARN) error { return d.add(&d.allow, a, "") }

// AllowBelow allows all calls whose path begins with the path of a and a slash. An
// empty path allows all calls of the method, and an empty method as well all calls of
// the stage.
func (d *Document) AllowBelow(a ARN) error {
	if strings.HasSuffix(a.Path, "/") {
		return reason.New("policy: AllowBelow for a path that ends in a slash: remove the slash")
	}
	return d.add(&d.allow, a, "/*")
}

// Deny denies one call, even if the document also allows it.
func (d *Document) Deny(a ARN) error { return d.add(&d.deny, a, "") }

func (d *Document) add(to *[]string, a ARN, tail string) error {
	plain := a // as far as it is checked for wildcards
	if d.AnyStage && plain.Stage == "*" {
		plain.Stage = "any"
	}
	if tail != "" && a.Method == "" && a.Path == "" {
		plain.Method, tail = "any", "*"
	}
	if err := plain.check(); err != nil {
		return err
	}
	if text := plain.String(); strings.ContainsAny(text, "*?") || strings.Contains(text, "${") {
		return reason.New("policy: an ARN with a wildcard in it: it would match more than this call")
	}
	text := a.String() + tail
	if len(text) > maxARN {
		return fmt.Errorf("policy: an ARN of more than %d characters", maxARN)
	}
	if !slices.Contains(*to, text) {
		*to = append(*to, text)
	}
	return nil
}

// denyPatterns denies calls of a stage by patterns, which may have wildcards.
func (d *Document) denyPatterns(stage ARN, patterns ...string) {
	for _, p := range patterns {
		if text := stage.stagePrefix() + p; !slices.Contains(d.deny, text) {
			d.deny = append(d.deny, text)
		}
	}
}

type statement struct {
	Action   string
	Effect   string
	Resource []string
}

// MarshalJSON returns the policy in the version 2012-10-17.
func (d Document) MarshalJSON() ([]byte, error) {
	doc := struct {
		Version   string
		Statement []statement
	}{Version: "2012-10-17"}
	if len(d.allow)+len(d.deny) == 0 {
		d.deny = []string{"*"}
	}
	if len(d.allow) > 0 {
		doc.Statement = append(doc.Statement, statement{"execute-api:Invoke", "Allow", d.allow})
	}
	if len(d.deny) > 0 {
		doc.Statement = append(doc.Statement, statement{"execute-api:Invoke", "Deny", d.deny})
	}
	return json.Marshal(doc)
}

// Empty reports whether the document allows nothing.
func (d *Document) Empty() bool { return len(d.allow) == 0 }
