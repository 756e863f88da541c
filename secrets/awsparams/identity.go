package awsparams

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// kind is how a name begins.
type kind string

const (
	byName      kind = ""
	byARN       kind = "arn:"
	byReference kind = "/aws/reference/secretsmanager/"
)

// identity is a name in Parameter Store's form.
type identity struct {
	base     string // a name or an ARN
	selector string // a version or a label, "" for the latest
	path     bool   // all parameters below base
}

func (id identity) String() string {
	if id.selector == "" {
		return id.base
	}
	return id.base + ":" + id.selector
}

func (id identity) kind() kind {
	for _, k := range []kind{byARN, byReference} {
		if strings.HasPrefix(id.base, string(k)) {
			return k
		}
	}
	return byName
}

// identify returns the identity of a ref. With an error, it is the unchanged name.
func identify(ref secrets.Ref) (identity, error) {
	id := split(ref.Name)
	id.path = strings.HasSuffix(id.base, "/")
	selector := ref.Version + ref.Stage
	var wrong guard.Reason
	switch {
	case ref.Name == "":
		wrong = "no name"
	case strings.HasSuffix(ref.Name, ":"):
		wrong = "a colon without a version or label"
	case ref.Version != "" && ref.Stage != "":
		wrong = "a version and a label"
	case id.selector != "" && selector != "":
		wrong = "a version or label in the name and beside it"
	case id.path && id.selector+selector != "":
		wrong = "a path has no version and no label"
	case ref.Encrypted && id.kind() == byReference:
		wrong = "Secrets Manager returns no encrypted values"
	case selector != "":
		id.selector = selector
	}
	if wrong != "" {
		return identity{base: ref.Name}, wrong
	}
	return id, nil
}

// split cuts a name at the colon before its version or label. An ARN has five
// colons of its own.
func split(full string) identity {
	var prefix string
	rest := full
	if strings.HasPrefix(full, string(byARN)) {
		parts := strings.SplitAfterN(full, ":", 6)
		rest = parts[len(parts)-1]
		prefix = strings.TrimSuffix(full, rest)
	}
	base, selector, _ := strings.Cut(rest, ":")
	return identity{base: prefix + base, selector: selector}
}
