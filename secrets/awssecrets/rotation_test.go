package awssecrets_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

func aware(t *testing.T) (*awsproxy.Proxy, *awssecrets.Source) {
	t.Helper()
	p, _ := stub(t)
	client := connect(p.URL)
	p.Meet("BatchGetSecretValue", awstest.Refuse(400, "AccessDeniedException"))
	return p, awssecrets.New(client, awssecrets.RotationAware(client))
}

func TestRotationLimitsAValue(t *testing.T) {
	soon := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	tests := []struct {
		name     string
		describe awsproxy.Mishap
		ref      secrets.Ref
		expires  time.Time
		err      error
	}{
		{
			name:     "to the date",
			describe: awstest.Answer(map[string]any{"NextRotationDate": soon.Unix()}),
			ref:      secrets.Ref{},
			expires:  soon,
		},
		{
			name:     "of a stage",
			describe: awstest.Answer(map[string]any{"NextRotationDate": soon.Unix()}),
			ref:      secrets.Ref{Stage: "AWSPREVIOUS"},
			expires:  soon,
		},
		{
			name:     "not of one version",
			describe: awstest.Refuse(400, "AccessDeniedException"),
			ref:      secrets.Ref{Version: "v1"},
			expires:  time.Time{},
		},
		{
			name:     "not where there is none",
			describe: awstest.Answer(map[string]any{}),
			ref:      secrets.Ref{},
			expires:  time.Time{},
		},
		{
			name:     "not when nobody says",
			describe: awstest.Refuse(400, "ThrottlingException"),
			ref:      secrets.Ref{},
			expires:  time.Time{},
		},
		{
			name:     "and is needed",
			describe: awstest.Refuse(400, "AccessDeniedException"),
			ref:      secrets.Ref{},
			expires:  time.Time{},
			err:      secrets.ErrDenied,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, source := aware(t)
			p.Meet("DescribeSecret", tt.describe)
			tt.ref.Name = "a"
			v := awstest.Fetch(t, source, tt.ref)[0]
			if tt.err != nil {
				awstest.MustMean(t, v.Err, tt.err)
				if v.Data != nil {
					t.Error("with the value")
				}
				return
			}
			awstest.MustHave(t, v, "single a")
			if tt.ref.Version != "" && p.Taken()["DescribeSecret"] != 0 {
				t.Error("described for nothing")
			}
			if !v.Expires.Equal(tt.expires) {
				t.Errorf("expires %v, want %v", v.Expires, tt.expires)
			}
		})
	}
}

func TestASecretIsDescribedOncePerFetch(t *testing.T) {
	p, source := aware(t)
	p.Meet("DescribeSecret", func(w http.ResponseWriter, r *http.Request, body []byte) {
		var in struct{ SecretId string }
		if err := json.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		date := map[string]int64{"a": 4102444800, "b": 4102531200}[in.SecretId]
		awstest.Answer(map[string]any{"NextRotationDate": date})(w, r, body)
	})
	values := awstest.Fetch(t, source, secrets.Ref{Name: "a"}, secrets.Ref{Name: "b"}, secrets.Ref{Name: "a", Stage: "AWSPREVIOUS"}, secrets.Ref{}, secrets.Ref{Name: "a", Version: "v1"})
	if !values[0].Expires.Equal(values[2].Expires) || values[1].Expires.Sub(values[0].Expires) != 24*time.Hour {
		t.Errorf("%v, %v, %v", values[0].Expires, values[1].Expires, values[2].Expires)
	}
	if !values[4].Expires.IsZero() {
		t.Error("a version is never replaced")
	}
	mustTake(t, p, map[string]int{"BatchGetSecretValue": 1, "GetSecretValue": 4, "DescribeSecret": 2})
}

func TestADescriptionThatIsRefusedDoesNotHideWhyThereIsNoValue(t *testing.T) {
	p, source := aware(t)
	p.Meet("GetSecretValue", awstest.Refuse(400, "ResourceNotFoundException"))
	p.Meet("DescribeSecret", awstest.Refuse(400, "AccessDeniedException"))
	awstest.MustMean(t, awstest.Fetch(t, source, awstest.Named("a")...)[0].Err, secrets.ErrNotFound)
}

// describer fails to describe.
type describer struct{ err error }

func (d describer) DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	return nil, d.err
}

func TestADescriptionThatNobodyWantsAnyMoreLeavesNoValue(t *testing.T) {
	p, _ := stub(t)
	source := awssecrets.New(connect(p.URL), awssecrets.RotationAware(describer{fmt.Errorf("describe: %w", context.Canceled)}))
	if v := awstest.Fetch(t, source, awstest.Named("a")...)[0]; !errors.Is(v.Err, context.Canceled) || v.Data != nil {
		t.Errorf("got %q, %v, want %v", v.Data, v.Err, context.Canceled)
	}
	source = awssecrets.New(connect(p.URL), awssecrets.RotationAware(describer{fmt.Errorf("describe: %w", context.DeadlineExceeded)}))
	awstest.MustHave(t, awstest.Fetch(t, source, awstest.Named("a")...)[0], "single a")
}

func TestNoDescriptionUnlessItIsAskedFor(t *testing.T) {
	p, source := stub(t)
	v := awstest.Fetch(t, source, awstest.Named("a")...)[0]
	if got := p.Taken(); got["DescribeSecret"] != 0 || !v.Expires.IsZero() {
		t.Errorf("requests %v, expires %v", got, v.Expires)
	}
}

func TestRotationDateOfMoto(t *testing.T) {
	s := setUp(t)
	name, _ := s.create(t, "name", "value")
	source := awssecrets.New(s.direct, awssecrets.RotationAware(s.direct))
	if v := awstest.Fetch(t, source, awstest.Named(name)...)[0]; v.Err != nil || !v.Expires.IsZero() {
		t.Errorf("not rotated: %v, %v", v.Expires, v.Err)
	}
	_, err := s.direct.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{
		SecretId: &name, RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(30)}, RotateImmediately: aws.Bool(false),
	})
	if err != nil {
		t.Fatal(err)
	}
	v := awstest.Fetch(t, source, awstest.Named(name)...)[0]
	if d := time.Until(v.Expires); v.Err != nil || d < 24*time.Hour || d > 32*24*time.Hour {
		t.Errorf("rotated: %v, %v", v.Expires, v.Err)
	}
	if missing := awstest.Fetch(t, source, awstest.Named(s.prefix+"missing")...)[0]; !errors.Is(missing.Err, secrets.ErrNotFound) {
		t.Error(missing.Err)
	}
}
