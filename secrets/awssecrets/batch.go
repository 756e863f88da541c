package awssecrets

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
)

// getBatch fetches the current version of several secrets at once. It leaves to
// GetSecretValue:
//
//   - all secrets, if the batch as a whole is refused: the function may not call
//     BatchGetSecretValue, or one of the names is malformed;
//   - a refused ARN: it may be of another account, which BatchGetSecretValue does
//     not read;
//   - a secret that the answer leaves out;
//   - an ARN without its suffix that looks like a whole one.
func (s *Source) getBatch(ctx context.Context, items []*item) {
	if len(items) == 1 { // needs no permission for batches
		s.get(ctx, items[0])
		return
	}
	in := &secretsmanager.BatchGetSecretValueInput{SecretIdList: make([]string, len(items))}
	for i, it := range items {
		in.SecretIdList[i] = it.ref.Name
		it.alone = true
	}
	for range batchSize { // pages; there is one, unless the secrets are large
		out, err := s.client.BatchGetSecretValue(ctx, in)
		if err != nil {
			for _, it := range items {
				if it.alone && !final(err) {
					it.alone = false
					it.fail(err)
				}
			}
			return
		}
		for _, it := range items {
			it.take(out)
		}
		if deref(out.NextToken) == "" {
			return
		}
		in.NextToken = out.NextToken
	}
}

// take takes the item's value or error from an answer, if it is there.
func (it *item) take(out *secretsmanager.BatchGetSecretValueOutput) {
	if entry := find(out.SecretValues, it.ref.Name); entry != nil {
		it.alone = false
		it.succeed(entry.SecretString, entry.SecretBinary, entry.VersionId)
		return
	}
	for _, e := range out.Errors {
		if deref(e.SecretId) != it.ref.Name {
			continue
		}
		err := &smithy.GenericAPIError{Code: deref(e.ErrorCode), Message: deref(e.Message)}
		if !isARN(it.ref.Name) || !final(err) {
			it.alone = false
			it.fail(err)
		}
		return
	}
}

// find returns the entry of a name, an ARN, or an ARN without its suffix. An ARN
// without its suffix that looks whole has no entry, as it could be another
// secret's.
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

// suffix is the length of the suffix that Secrets Manager appends to the name in an
// ARN.
const suffix = len("-AbCdEf")

func hasSuffix(arn string) bool {
	return len(arn) > suffix && arn[len(arn)-suffix] == '-'
}

func isARN(id string) bool { return strings.HasPrefix(id, "arn:") }
