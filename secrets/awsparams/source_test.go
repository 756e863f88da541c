package awsparams_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
)

func TestRequestsOfAFetch(t *testing.T) {
	s := setUp(t)
	names := make([]string, 25)
	for i := range names {
		names[i] = s.put(t, fmt.Sprint(i), fmt.Sprint("value ", i), types.ParameterTypeSecureString)
	}
	for _, tt := range []struct{ parameters, requests int }{{parameters: 0, requests: 0}, {parameters: 1, requests: 1}, {parameters: 10, requests: 1}, {parameters: 11, requests: 2}, {parameters: 25, requests: 3}} {
		t.Run(fmt.Sprint(tt.parameters), func(t *testing.T) {
			for i, v := range awstest.Fetch(t, s.source, awstest.Named(names[:tt.parameters]...)...) {
				awstest.MustHave(t, v, fmt.Sprint("value ", i))
			}
			mustTake(t, s.Proxy, tt.requests)
		})
	}
}

func TestErrorsAreKeptApart(t *testing.T) {
	s := setUp(t)
	first := s.put(t, "first", "value 1", types.ParameterTypeString)
	last := s.put(t, "last", "value 2", types.ParameterTypeString)
	values := awstest.Fetch(t, s.source, awstest.Named(first, s.prefix+"missing", first+":7", first+":nolabel", last)...)
	awstest.MustHave(t, values[0], "value 1")
	awstest.MustHave(t, values[4], "value 2")
	for i, name := range map[int]string{1: "missing", 2: "first:7", 3: "first:nolabel"} {
		if err := values[i].Err; !errors.Is(err, secrets.ErrNotFound) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want %v", name, err, secrets.ErrNotFound)
		}
	}
	mustTake(t, s.Proxy, 3) // one for the names, and one for each other form of the first
}

func TestTypes(t *testing.T) {
	s := setUp(t)
	text := s.put(t, "text", "plain", types.ParameterTypeString)
	list := s.put(t, "list", "a,b,c", types.ParameterTypeStringList)
	secure := s.put(t, "secure", "hidden", types.ParameterTypeSecureString)
	other := s.put(t, "other", "hidden", types.ParameterTypeSecureString)
	values := awstest.Fetch(t, s.source, append(awstest.Named(text, list, secure), secrets.Ref{Name: other, Encrypted: true}, secrets.Ref{Name: text, Encrypted: true})...)
	awstest.MustHave(t, values[0], "plain")
	awstest.MustHave(t, values[1], "a,b,c")
	awstest.MustHave(t, values[2], "hidden")
	if v := values[3]; v.Err != nil || len(v.Data) == 0 || string(v.Data) == "hidden" {
		t.Errorf("encrypted: got %q, %v, want another text", v.Data, v.Err)
	}
	awstest.MustHave(t, values[4], "plain")
	mustTake(t, s.Proxy, 2) // with decryption and without
}

func TestVersionsAndLabels(t *testing.T) {
	s := setUp(t)
	for i := range 3 {
		s.put(t, "name", fmt.Sprint("value ", i+1), types.ParameterTypeSecureString)
	}
	name := s.prefix + "name"
	s.label(t, name, 2, "stable")
	arn := s.arn(t, name)
	tests := []struct {
		ref           secrets.Ref
		want, version string
	}{
		{ref: secrets.Ref{Name: name}, want: "value 3", version: "3"},
		{ref: secrets.Ref{Name: name, Version: "1"}, want: "value 1", version: "1"},
		{ref: secrets.Ref{Name: name, Stage: "stable"}, want: "value 2", version: "2"},
		{ref: secrets.Ref{Name: name + ":2"}, want: "value 2", version: "2"},
		{ref: secrets.Ref{Name: name + ":stable"}, want: "value 2", version: "2"},
		{ref: secrets.Ref{Name: arn}, want: "value 3", version: "3"},
		{ref: secrets.Ref{Name: arn, Version: "1"}, want: "value 1", version: "1"},
		{ref: secrets.Ref{Name: arn + ":stable"}, want: "value 2", version: "2"},
	}
	var all []secrets.Ref
	for _, tt := range tests {
		all = append(all, tt.ref)
	}
	together := awstest.Fetch(t, s.source, all...)
	for i, tt := range tests {
		for _, v := range []secrets.Value{awstest.Fetch(t, s.source, tt.ref)[0], together[i]} {
			awstest.MustHave(t, v, tt.want)
			if v.Version != tt.version {
				t.Errorf("%+v: version %q, want %q", tt.ref, v.Version, tt.version)
			}
		}
	}
}

func TestRefsThatSayTwoThings(t *testing.T) {
	s := setUp(t)
	for name, ref := range map[string]secrets.Ref{
		"no name":                      {},
		"a colon alone":                {Name: "n:"},
		"a version and a label":        {Name: "n", Version: "1", Stage: "a"},
		"a version twice":              {Name: "n:1", Version: "1"},
		"a version and a label inside": {Name: "n:1", Stage: "a"},
		"a version of an ARN twice":    {Name: "arn:aws:ssm:eu-central-1:111122223333:parameter/n:1", Version: "1"},
		"a version of a path":          {Name: "/n/", Version: "1"},
		"a label of a path":            {Name: "/n/", Stage: "a"},
		"a path with a label":          {Name: "/n/:a"},
		"a secret encrypted":           {Name: "/aws/reference/secretsmanager/n", Encrypted: true},
	} {
		t.Run(name, func(t *testing.T) {
			err := awstest.Fetch(t, s.source, ref)[0].Err
			awstest.MustMean(t, err, nil)
			if !strings.HasPrefix(err.Error(), fmt.Sprintf("awsparams: %q: ", ref.Name)) {
				t.Errorf("got %v, want an error that names %q", err, ref.Name)
			}
		})
	}
	if got := s.Taken(); len(got) != 0 {
		t.Errorf("got requests %v, want none", got)
	}
}

// moto returns a reference the secret's own name and no VersionId, and fails a
// request as a whole when one of its secrets is missing.
func TestReferencesToSecretsManager(t *testing.T) {
	s := setUp(t)
	client := secretsmanager.New(secretsmanager.Options{BaseEndpoint: &s.url, Region: "eu-central-1", Credentials: s.direct.Options().Credentials})
	create := func(name, value string) string {
		full := s.prefix[1:] + name
		if _, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &full, SecretString: &value}); err != nil {
			t.Fatal(err)
		}
		return full
	}
	const reference = "/aws/reference/secretsmanager/"
	first, second := create("first", "old"), create("second", "two")
	newer := "new"
	if _, err := client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &first, SecretString: &newer}); err != nil {
		t.Fatal(err)
	}
	plain := s.put(t, "plain", "a parameter", types.ParameterTypeString)
	values := awstest.Fetch(t, s.source,
		secrets.Ref{Name: reference + first},
		secrets.Ref{Name: reference + first, Stage: "AWSPREVIOUS"},
		secrets.Ref{Name: reference + first + ":AWSCURRENT"},
		secrets.Ref{Name: reference + second},
		secrets.Ref{Name: plain},
		secrets.Ref{Name: reference + s.prefix[1:] + "missing"},
	)
	for i, want := range []string{"new", "old", "new", "two", "a parameter"} {
		awstest.MustHave(t, values[i], want)
	}
	awstest.MustMean(t, values[5].Err, secrets.ErrNotFound)
}

func TestConstruction(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "awsparams: ") {
			t.Errorf("got panic %v, want one of awsparams", r)
		}
	}()
	awsparams.New(nil)
}
