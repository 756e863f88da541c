package awssecrets_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

func TestRequestsOfAFetch(t *testing.T) {
	s := setUp(t)
	names := make([]string, 45)
	for i := range names {
		names[i], _ = s.create(t, fmt.Sprint(i), fmt.Sprint("value ", i))
	}
	tests := []struct {
		secrets int
		want    map[string]int
	}{
		{want: map[string]int{}},
		{secrets: 1, want: map[string]int{"GetSecretValue": 1}},
		{secrets: 2, want: map[string]int{"BatchGetSecretValue": 1}},
		{secrets: 10, want: map[string]int{"BatchGetSecretValue": 1}},
		{secrets: 20, want: map[string]int{"BatchGetSecretValue": 1}},
		{secrets: 21, want: map[string]int{"BatchGetSecretValue": 1, "GetSecretValue": 1}},
		{secrets: 45, want: map[string]int{"BatchGetSecretValue": 3}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.secrets), func(t *testing.T) {
			for i, v := range awstest.Fetch(t, s.source, awstest.Named(names[:tt.secrets]...)...) {
				awstest.MustHave(t, v, fmt.Sprint("value ", i))
				if v.Version == "" {
					t.Error("got no version, want one")
				}
			}
			mustTake(t, s, tt.want)
		})
	}
}

func TestErrorsAreKeptApart(t *testing.T) {
	s := setUp(t)
	first, _ := s.create(t, "first", "value 1")
	deleted, _ := s.create(t, "deleted", "value 2")
	last, _ := s.create(t, "last", "value 3")
	s.remove(t, deleted)
	values := awstest.Fetch(t, s.source, append(awstest.Named(first, s.prefix+"missing", deleted, "", last), secrets.Ref{Name: first, Encrypted: true})...)
	awstest.MustHave(t, values[0], "value 1")
	awstest.MustHave(t, values[4], "value 3")
	for i, want := range map[int]string{1: "missing", 2: "deleted"} {
		if err := values[i].Err; !errors.Is(err, secrets.ErrNotFound) || !strings.Contains(err.Error(), want) || values[i].Data != nil {
			t.Errorf("%s: %v, %q", want, err, values[i].Data)
		}
	}
	for _, i := range []int{3, 5} {
		if err := values[i].Err; err == nil || errors.Is(err, secrets.ErrUnavailable) {
			t.Errorf("%d: got %v, want an error that is final", i, err)
		}
	}
	mustTake(t, s, map[string]int{"BatchGetSecretValue": 1})
}

func TestASecretThatIsScheduledForDeletionIsGone(t *testing.T) {
	s := setUp(t)
	name, _ := s.create(t, "name", "value")
	s.remove(t, name)
	if err := awstest.Fetch(t, s.source, awstest.Named(name)...)[0].Err; !errors.Is(err, secrets.ErrNotFound) || errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, secrets.ErrNotFound)
	}
}

func TestStagesAndVersions(t *testing.T) {
	s := setUp(t)
	name, arn := s.create(t, "name", "first")
	first := awstest.Fetch(t, s.source, awstest.Named(name)...)[0].Version
	second := s.put(t, name, "second")
	tests := []struct {
		name    string
		ref     secrets.Ref
		want    string
		version string
	}{
		{name: "the default", ref: secrets.Ref{Name: name}, want: "second", version: second},
		{name: "the current one", ref: secrets.Ref{Name: name, Stage: "AWSCURRENT"}, want: "second", version: second},
		{name: "the previous one", ref: secrets.Ref{Name: name, Stage: "AWSPREVIOUS"}, want: "first", version: first},
		{name: "by its id", ref: secrets.Ref{Name: name, Version: first}, want: "first", version: first},
		{
			name:    "by its id and stage",
			ref:     secrets.Ref{Name: name, Version: second, Stage: "AWSCURRENT"},
			want:    "second",
			version: second,
		},
		{name: "by the ARN", ref: secrets.Ref{Name: arn, Stage: "AWSPREVIOUS"}, want: "first", version: first},
		{name: "no such stage", ref: secrets.Ref{Name: name, Stage: "AWSPENDING"}},
		{
			name: "no such version",
			ref:  secrets.Ref{Name: name, Version: "b2c3d4e5-0000-4000-8000-000000000000"},
		},
		{
			name: "a version without the stage",
			ref:  secrets.Ref{Name: name, Version: first, Stage: "AWSCURRENT"},
		},
	}
	var all []secrets.Ref
	for _, tt := range tests {
		all = append(all, tt.ref)
	}
	together := awstest.Fetch(t, s.source, all...)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range []secrets.Value{awstest.Fetch(t, s.source, tt.ref)[0], together[i]} {
				if tt.want == "" {
					if !errors.Is(v.Err, secrets.ErrNotFound) {
						t.Errorf("got %v, want %v", v.Err, secrets.ErrNotFound)
					}
					continue
				}
				awstest.MustHave(t, v, tt.want)
				if v.Version != tt.version {
					t.Errorf("version %s, want %s", v.Version, tt.version)
				}
			}
		})
	}
}

func TestBinarySecrets(t *testing.T) {
	s := setUp(t)
	want := []byte{0, 1, 0xff, '\n', 0xfe}
	binary := s.prefix + "binary"
	if _, err := s.direct.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &binary, SecretBinary: want}); err != nil {
		t.Fatal(err)
	}
	text, _ := s.create(t, "text", "text")
	awstest.MustHave(t, awstest.Fetch(t, s.source, awstest.Named(binary)...)[0], string(want))
	awstest.MustHave(t, awstest.Fetch(t, s.source, awstest.Named(text, binary)...)[1], string(want))
}

func TestConstruction(t *testing.T) {
	for name, build := range map[string]func(){
		"no client":    func() { awssecrets.New(nil) },
		"no describer": func() { awssecrets.RotationAware(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "awssecrets: ") {
					t.Errorf("got panic %v, want one of awssecrets", r)
				}
			}()
			build()
		})
	}
}
