package agent_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

func TestSecretsByVersionAndStage(t *testing.T) {
	a := agenttest.New(t)
	first := a.SetSecret("payments/api-key", "one")
	second := a.SetSecret("payments/api-key", "two")
	empty := a.SetSecret("empty", "")
	src := agent.Secrets(at(a)...)

	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "payments/api-key"}), "two", second)
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "payments/api-key", Stage: "AWSCURRENT"}), "two", second)
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "payments/api-key", Stage: "AWSPREVIOUS"}), "one", first)
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "payments/api-key", Version: first}), "one", first)
	binary := agent.Secrets(agent.Address(answering(t, http.StatusOK, `{"SecretBinary":"AAH/Ig==","VersionId":"b"}`)), token())
	mustBe(t, one(invoked(t), binary, secrets.Ref{Name: "certificate"}), "\x00\x01\xff\"", "b")
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "empty"}), "", empty)

	for _, missing := range []secrets.Ref{
		{Name: "none"},
		{Name: "payments/api-key", Stage: "AWSPENDING"},
		{Name: "payments/api-key", Version: "none"},
	} {
		if got := one(invoked(t), src, missing); !errors.Is(got.Err, secrets.ErrNotFound) {
			t.Errorf("%+v: got %v, want %v", missing, got.Err, secrets.ErrNotFound)
		}
	}
}

func TestParametersByVersionAndLabel(t *testing.T) {
	a := agenttest.New(t)
	a.SetParameter("/shop/password", "one")
	a.SetParameter("/shop/password", "two")
	a.LabelParameter("/shop/password", "stable", "1")
	src := agent.Parameters(at(a)...)

	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "/shop/password"}), "two", "2")
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "/shop/password", Version: "1"}), "one", "1")
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "/shop/password", Stage: "stable"}), "one", "1")
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "/shop/password", Encrypted: true}), "AQICAHh-encrypted", "2")

	for _, missing := range []secrets.Ref{{Name: "/shop/none"}, {Name: "/shop/password", Version: "3"}, {Name: "/shop/password", Stage: "none"}} {
		if got := one(invoked(t), src, missing); !errors.Is(got.Err, secrets.ErrNotFound) {
			t.Errorf("%+v: got %v, want %v", missing, got.Err, secrets.ErrNotFound)
		}
	}
	if got := one(invoked(t), src, secrets.Ref{Name: "/shop/password", Version: "1", Stage: "stable"}); got.Err == nil {
		t.Error("with a version and a label: got no error, want one")
	}
}

// A reference to a secret is version 0 before a rotation and after it.
func TestReferencesHaveTheVersionOfTheirSecret(t *testing.T) {
	body := func(source string) string {
		return `{"Parameter":{"Name":"/aws/reference/secretsmanager/key","Type":"SecureString","Value":"v","Version":0,"SourceResult":` + source + `},"ResultMetadata":{}}`
	}
	for source, version := range map[string]string{
		`"{\"ARN\":\"arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf\",\"VersionId\":\"aaaabbbb\",\"SecretString\":\"v\"}"`: "aaaabbbb",
		`"{\"name\":\"key\",\"versionId\":\"ccccdddd\",\"secretString\":\"v\"}"`:                                                            "ccccdddd", // as clients of AWS have recorded it
		`null`: "", `""`: "", `"not JSON"`: "",
	} {
		src := agent.Parameters(agent.Address(answering(t, 200, body(source))), token())
		mustBe(t, one(invoked(t), src, secrets.Ref{Name: "/aws/reference/secretsmanager/key"}), "v", version)
	}
}

// What stands in a name reaches the agent as it is, and as nothing else.
func TestNamesAreEscaped(t *testing.T) {
	a := agenttest.New(t)
	for i, name := range []string{
		"/a/b/c", "a b", "a+b", "a&secretId=other", "a?b#c", "a%2Fb", "ä/ö", "../x", "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf",
	} {
		secret, parameter := fmt.Sprint("secret ", i), fmt.Sprint("parameter ", i)
		version := a.SetSecret(name, secret)
		a.SetParameter(name, parameter)
		mustBe(t, one(invoked(t), agent.Secrets(at(a)...), secrets.Ref{Name: name}), secret, version)
		mustBe(t, one(invoked(t), agent.Parameters(at(a)...), secrets.Ref{Name: name}), parameter, "1")
	}
}

func TestRequests(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		fmt.Fprint(w, `{"SecretString":"v","Parameter":{"Value":"v","Version":1}}`)
	}))
	defer server.Close()
	base := []agent.Option{agent.Address(server.URL + "/"), token()}
	for _, tc := range []struct {
		src  secrets.Source
		ref  secrets.Ref
		want string
	}{
		{src: agent.Secrets(base...), ref: secrets.Ref{Name: "a/b"}, want: "/secretsmanager/get?secretId=a%2Fb"},
		{
			src:  agent.Secrets(base...),
			ref:  secrets.Ref{Name: "a", Version: "v", Stage: "s"},
			want: "/secretsmanager/get?secretId=a&versionId=v&versionStage=s",
		},
		{
			src:  agent.Secrets(append(base, agent.RefreshNow())...),
			ref:  secrets.Ref{Name: "a"},
			want: "/secretsmanager/get?refreshNow=true&secretId=a",
		},
		{
			src:  agent.Parameters(base...),
			ref:  secrets.Ref{Name: "/a/b"},
			want: "/systemsmanager/parameters/get?name=%2Fa%2Fb&withDecryption=true",
		},
		{
			src:  agent.Parameters(base...),
			ref:  secrets.Ref{Name: "a", Version: "3", Encrypted: true},
			want: "/systemsmanager/parameters/get?name=a&version=3",
		},
		{
			src:  agent.Parameters(base...),
			ref:  secrets.Ref{Name: "a", Stage: "l"},
			want: "/systemsmanager/parameters/get?label=l&name=a&withDecryption=true",
		},
	} {
		if v := one(invoked(t), tc.src, tc.ref); v.Err != nil || string(v.Data) != "v" {
			t.Errorf("%s: %q, %v", tc.want, v.Data, v.Err)
		}
		if got.RequestURI != tc.want || got.Method != "GET" || got.Header.Get("X-Aws-Parameters-Secrets-Token") != "t" || got.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("%s %s %v, want %s", got.Method, got.RequestURI, got.Header, tc.want)
		}
	}
}

func TestARefThatCannotBeAskedForIsRefused(t *testing.T) {
	a := agenttest.New(t)
	a.SetSecret("x", "v")
	for what, got := range map[string]secrets.Value{
		"a secret without a name":    one(invoked(t), agent.Secrets(at(a)...), secrets.Ref{}),
		"a secret encrypted":         one(invoked(t), agent.Secrets(at(a)...), secrets.Ref{Name: "x", Encrypted: true}),
		"a parameter without a name": one(invoked(t), agent.Parameters(at(a)...), secrets.Ref{}),
	} {
		if got.Err == nil || errors.Is(got.Err, secrets.ErrUnavailable) {
			t.Errorf("%s: got %v, want an error that is final", what, got.Err)
		}
	}
}
