package awsparams_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
	"pgregory.net/rapid"
)

// anyStore has every parameter but those that are called gone. It answers in
// alphabetical order, and denies a request that asks for one called denied.
type anyStore struct {
	awsparams.Client
	mu     sync.Mutex
	broken []string // rules of the API that a request broke
}

func (a *anyStore) GetParameters(_ context.Context, in *ssm.GetParametersInput, _ ...func(*ssm.Options)) (*ssm.GetParametersOutput, error) {
	names := slices.Sorted(slices.Values(in.Names))
	if len(names) == 0 || len(names) > 10 || len(slices.Compact(slices.Clone(names))) != len(names) {
		a.mu.Lock()
		a.broken = append(a.broken, fmt.Sprint(names))
		a.mu.Unlock()
	}
	out := new(ssm.GetParametersOutput)
	for _, asked := range names {
		switch {
		case strings.Contains(asked, "denied"):
			return nil, &types.InternalServerError{ErrorCodeOverride: ptr("AccessDeniedException")}
		case strings.Contains(asked, "gone"):
			out.InvalidParameters = append(out.InvalidParameters, asked)
		default:
			value := content(asked, *in.WithDecryption)
			out.Parameters = append(out.Parameters, parameter(asked, value))
		}
	}
	return out, nil
}

// parameter returns the parameter of a name or an ARN, with or without a version
// or label.
func parameter(asked, value string) types.Parameter {
	prefix, rest := "arn:aws:ssm:eu-central-1:111122223333:parameter", asked
	if i := strings.Index(asked, ":parameter/"); i > 0 {
		prefix, rest = asked[:i+len(":parameter")], asked[i+len(":parameter"):]
	}
	name, selector, selected := strings.Cut(rest, ":")
	p := types.Parameter{Name: &name, ARN: ptr(prefix + name), Value: &value}
	if selected {
		p.Selector = ptr(":" + selector)
	}
	return p
}

func ptr(s string) *string { return &s }

func content(asked string, decrypted bool) string { return fmt.Sprint(asked, " decrypted ", decrypted) }

func TestNoRefGetsTheValueOfAnother(t *testing.T) {
	names := []string{
		"/a", "/b", "/c/d", "plain", "/gone", "/denied",
		"arn:aws:ssm:eu-central-1:111122223333:parameter/a", "arn:aws:ssm:eu-central-1:444455556666:parameter/a",
		"arn:aws:ssm:eu-central-1:444455556666:parameter/gone", "/aws/reference/secretsmanager/a",
	}
	ref := rapid.Custom(func(t *rapid.T) secrets.Ref {
		r := secrets.Ref{Name: rapid.SampledFrom(names).Draw(t, "name")}
		switch selector := rapid.SampledFrom([]string{"", "1", "2", "stable"}).Draw(t, "selector"); rapid.IntRange(0, 2).Draw(t, "where") {
		case 0:
			r.Version = selector
		case 1:
			r.Stage = selector
		default:
			if selector != "" {
				r.Name += ":" + selector
			}
		}
		r.Encrypted = rapid.Bool().Draw(t, "encrypted") && !strings.HasPrefix(r.Name, "/aws/")
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		refs := rapid.SliceOfNDistinct(ref, 0, 40, rapid.ID).Draw(t, "refs")
		store := new(anyStore)
		values, err := awsparams.New(store).Fetch(t.Context(), refs)
		if err != nil || len(values) != len(refs) || len(store.broken) > 0 {
			t.Fatalf("%d values of %d, %v, requests %v", len(values), len(refs), err, store.broken)
		}
		for i, r := range refs {
			asked := r.Name
			if selector := r.Version + r.Stage; selector != "" {
				asked += ":" + selector
			}
			var want error
			switch {
			case strings.Contains(r.Name, "gone"):
				want = secrets.ErrNotFound
			case strings.Contains(r.Name, "denied"):
				want = secrets.ErrDenied
			}
			if got := string(values[i].Data); !errors.Is(values[i].Err, want) || want == nil && got != content(asked, !r.Encrypted) {
				t.Fatalf("%+v: %q, %v", r, got, values[i].Err)
			}
		}
	})
}
