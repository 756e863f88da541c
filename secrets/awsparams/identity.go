package awsparams

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// A kind is what a name names, by how it begins.
type kind string

const (
	byName      kind = ""
	byARN       kind = "arn:"
	byReference kind = "/aws/reference/secretsmanager/"
)

// An identity is a name as Parameter Store takes it.
type identity struct {
	base     string // a name or an ARN
	selector string // a version or a label, "" for the latest
	path     bool   // all that is below base
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

// identify says what a ref is called. With an error, that is its name as it is.
func identify(ref secrets.Ref) (identity, error) {
	asItIs := identity{base: ref.Name}
	id := split(ref.Name)
	id.path = strings.HasSuffix(id.base, "/")
	asked := ref.Version + ref.Stage
	switch {
	case ref.Name == "":
		return asItIs, guard.Reason("no name")
	case strings.HasSuffix(ref.Name, ":"):
		return asItIs, guard.Reason("a colon and no version or label")
	case ref.Version != "" && ref.Stage != "":
		return asItIs, guard.Reason("a version and a label")
	case id.selector != "" && asked != "":
		return asItIs, guard.Reason("a version or a label in the name and beside it")
	case id.path && id.selector+asked != "":
		return asItIs, guard.Reason("a path has no version and no label")
	case ref.Encrypted && id.kind() == byReference:
		return asItIs, guard.Reason("a secret cannot be had encrypted")
	case asked != "":
		id.selector = asked
	}
	return id, nil
}

// split takes a name apart at the colon before its version or label. An ARN has
// five colons of its own.
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
