package policy_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/policy"
)

// iam evaluates a policy as IAM does.
type iam struct{ allow, deny []string }

func newIAM(t *testing.T, doc policy.Document) iam {
	t.Helper()
	text, err := json.Marshal(doc)
	var p struct {
		Statement []struct {
			Effect   string
			Resource []string
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	var i iam
	for _, s := range p.Statement {
		if s.Effect == "Deny" {
			i.deny = append(i.deny, s.Resource...)
		} else {
			i.allow = append(i.allow, s.Resource...)
		}
	}
	return i
}

func (i iam) allows(arn string) bool {
	matches := func(resource string) bool {
		pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(resource))
		return regexp.MustCompile("(?s)^" + pattern + "$").MatchString(arn)
	}
	return slices.ContainsFunc(i.allow, matches) && !slices.ContainsFunc(i.deny, matches)
}
