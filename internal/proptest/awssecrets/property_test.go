package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
	"pgregory.net/rapid"
)

// account has a few secrets whose names and ARNs are easily mistaken for one
// another's, and reads those of another account one by one.
type account struct {
	mu     sync.Mutex
	broken []string // rules of the API that a request broke
}

const (
	here  = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
	there = "arn:aws:secretsmanager:eu-central-1:444455556666:secret:"
)

var arns = map[string]string{
	"db":        here + "db-abcdef",
	"db-abcdeg": here + "db-abcdeg-UVWXYZ",
	"db/a":      here + "db/a-abcdef",
	"db/b":      here + "db/b-abcdef",
}

// named returns the secret of an id.
func (a *account) named(id string) (name string, ok bool) {
	for name, arn := range arns {
		if id == name || id == arn || id == arn[:len(arn)-len("-abcdef")] {
			return name, true
		}
	}
	return "", false
}

func (a *account) BatchGetSecretValue(_ context.Context, in *secretsmanager.BatchGetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.BatchGetSecretValueOutput, error) {
	ids := slices.Sorted(slices.Values(in.SecretIdList))
	if len(ids) == 0 || len(ids) > 20 || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		a.mu.Lock()
		a.broken = append(a.broken, fmt.Sprint(ids))
		a.mu.Unlock()
	}
	out := new(secretsmanager.BatchGetSecretValueOutput)
	for i, id := range ids {
		if name, ok := a.named(id); ok {
			arn := arns[name]
			out.SecretValues = append(out.SecretValues, types.SecretValueEntry{Name: &name, ARN: &arn, SecretString: &name})
			continue
		}
		code := "ResourceNotFoundException"
		out.Errors = append(out.Errors, types.APIErrorType{SecretId: &ids[i], ErrorCode: &code})
	}
	return out, nil
}

func (a *account) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	name, ok := a.named(*in.SecretId)
	if strings.HasPrefix(*in.SecretId, there) {
		name, ok = *in.SecretId, true
	}
	if !ok {
		return nil, new(types.ResourceNotFoundException)
	}
	if in.VersionStage != nil {
		name += " " + *in.VersionStage
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: &name}, nil
}

func TestNoRefGetsTheValueOfAnother(t *testing.T) {
	var ids []string
	want := make(map[string]string)
	for name, arn := range arns {
		for _, id := range []string{name, arn, arn[:len(arn)-len("-abcdef")]} {
			ids = append(ids, id)
			want[id] = name
		}
	}
	for i := range 20 {
		id := fmt.Sprint(there, "key-", i)
		ids = append(ids, id)
		want[id] = id
	}
	ids = append(ids, "db-abcdef", "missing", here+"missing-abcdef")
	slices.Sort(ids)

	ref := rapid.Custom(func(t *rapid.T) secrets.Ref {
		return secrets.Ref{
			Name:  rapid.SampledFrom(ids).Draw(t, "id"),
			Stage: rapid.SampledFrom([]string{"", "", "AWSPREVIOUS"}).Draw(t, "stage"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		refs := rapid.SliceOfNDistinct(ref, 0, 60, rapid.ID).Draw(t, "refs")
		a := new(account)
		values, err := awssecrets.New(a).Fetch(t.Context(), refs)
		if err != nil || len(values) != len(refs) || len(a.broken) > 0 {
			t.Fatalf("%d values of %d, %v, requests %v", len(values), len(refs), err, a.broken)
		}
		for i, r := range refs {
			value, there := want[r.Name]
			if !there {
				if !errors.Is(values[i].Err, secrets.ErrNotFound) {
					t.Fatalf("%+v: %q, %v", r, values[i].Data, values[i].Err)
				}
				continue
			}
			if r.Stage != "" {
				value += " " + r.Stage
			}
			if values[i].Err != nil || string(values[i].Data) != value {
				t.Fatalf("%+v: %q, %v, want %q", r, values[i].Data, values[i].Err, value)
			}
		}
	})
}
