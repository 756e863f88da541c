package awsparams

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/go-json-experiment/json"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// maxPages limits the parameters below a path. A page has up to ten, and the pages
// are fetched one after the other.
const maxPages = 100

// getPath fetches all parameters below a path, at any depth.
func (s *Source) getPath(ctx context.Context, it *item) {
	in := &ssm.GetParametersByPathInput{
		Path:           &it.id.base,
		Recursive:      aws.Bool(true),
		WithDecryption: aws.Bool(!it.ref.Encrypted),
		MaxResults:     aws.Int32(batchSize),
	}
	var found []types.Parameter
	for range maxPages {
		out, err := s.client.GetParametersByPath(ctx, in)
		if err != nil {
			it.fail(err)
			return
		}
		found = append(found, out.Parameters...) // a page may be empty and not the last
		if deref(out.NextToken) == "" {
			it.succeedWithAll(found)
			return
		}
		in.NextToken = out.NextToken
	}
	it.fail(fmt.Errorf("more than %d pages of parameters", maxPages))
}

// succeedWithAll makes one JSON object of the parameters below a path. Its
// version is a hash of theirs.
func (it *item) succeedWithAll(found []types.Parameter) {
	if len(found) == 0 {
		it.fail(secrets.ErrNotFound)
		return
	}
	members := make(map[string]string, len(found))
	versions := make(map[string]string, len(found))
	for _, p := range found {
		if p.Value == nil {
			it.fail(errUnanswered)
			return
		}
		name := strings.TrimPrefix(deref(p.Name), it.id.base)
		members[name] = *p.Value
		versions[name] = fmt.Sprint(name, " ", p.Version)
		if p.LastModifiedDate != nil { // a parameter that is created again begins with version 1
			versions[name] += p.LastModifiedDate.UTC().Format(" " + time.RFC3339Nano)
		}
	}
	data, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		it.fail(guard.Reason("a value is not UTF-8"))
		return
	}
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		fmt.Fprintln(hash, versions[name])
	}
	it.value = secrets.Value{Data: data, Version: hex.EncodeToString(hash.Sum(nil))[:32]}
}
