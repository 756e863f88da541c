package awssecrets

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
)

// batch asks for the current version of several secrets at once. What it gets no
// valid answer for it leaves to be asked for by itself:
//
//   - all of them, when the batch as a whole is refused: the function may not call
//     BatchGetSecretValue, or one name among the others is malformed;
//   - an ARN that is refused: it may be another account's, which GetSecretValue
//     reads and BatchGetSecretValue does not;
//   - one that the answer leaves out;
//   - an ARN without its suffix that looks like a whole one.
func (s *Source) batch(ctx context.Context, items []*item) {
	in := &secretsmanager.BatchGetSecretValueInput{SecretIdList: make([]string, len(items))}
	for i, it := range items {
		in.SecretIdList[i] = it.ref.Name
		it.single = true
	}
	for range batchSize { // pages; there is one, unless the secrets are large
		out, err := s.client.BatchGetSecretValue(ctx, in)
		if err != nil {
			if final(err) {
				return
			}
			for _, it := range items {
				if it.single {
					it.single = false
					it.fail(err)
				}
			}
			return
		}
		for _, it := range items {
			it.take(out)
		}
		if out.NextToken == nil || *out.NextToken == "" {
			return
		}
		in.NextToken = out.NextToken
	}
}

// take looks for the item's value or error in an answer.
func (it *item) take(out *secretsmanager.BatchGetSecretValueOutput) {
	if entry := find(out.SecretValues, it.ref.Name); entry != nil {
		it.single = false
		it.succeed(entry.SecretString, entry.SecretBinary, entry.VersionId)
		return
	}
	for _, e := range out.Errors {
		if deref(e.SecretId) != it.ref.Name {
			continue
		}
		err := &smithy.GenericAPIError{Code: deref(e.ErrorCode), Message: deref(e.Message)}
		if isARN(it.ref.Name) && final(err) {
			return
		}
		it.single = false
		it.fail(err)
		return
	}
}

// find gives the entry of an id: a name, an ARN, or an ARN without its suffix.
// One that ends as if it had a suffix may be another secret's, which is missing
// here: it has no entry but its own.
func find(entries []types.SecretValueEntry, id string) *types.SecretValueEntry {
	partial := isARN(id) && !hasSuffix(id)
	for i, e := range entries {
		arn := deref(e.ARN)
		if deref(e.Name) == id || arn == id || partial && hasSuffix(arn) && arn[:len(arn)-suffix] == id {
			return &entries[i]
		}
	}
	return nil
}

// suffix is the length of what Secrets Manager ends an ARN with.
const suffix = len("-AbCdEf")

func hasSuffix(arn string) bool {
	return len(arn) > suffix && arn[len(arn)-suffix] == '-'
}

func isARN(id string) bool { return strings.HasPrefix(id, "arn:") }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
