package agent_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

// classes are the errors that a refusal may match.
func classes() []error {
	return []error{secrets.ErrNotFound, secrets.ErrDenied, secrets.ErrUndecryptable, secrets.ErrUnavailable}
}

func mustFailAs(t *testing.T, err, want error) {
	t.Helper()
	if err == nil {
		t.Error("got no error, want one")
	}
	for _, class := range classes() {
		if errors.Is(err, class) != (class == want) {
			t.Errorf("%v; want one that is %v", err, want)
		}
	}
}

func TestWhatARefusalMeans(t *testing.T) {
	aws := func(code, message string) string {
		return fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)
	}
	sdk := func(code, message string) string {
		return "operation error SSM: GetParameter, https response error StatusCode: 400, RequestID: 1, api error " + code + ": " + message
	}
	for _, tc := range []struct {
		status int
		body   string
		want   error
	}{
		{status: 400, body: aws("ThrottlingException", "Rate exceeded"), want: secrets.ErrUnavailable},
		{status: 400, body: sdk("ThrottlingException", "Rate exceeded"), want: secrets.ErrUnavailable},
		{status: 400, body: "Rate exceeded", want: secrets.ErrUnavailable},
		{status: 400, body: aws("TooManyRequestsException", ""), want: secrets.ErrUnavailable},
		{status: 400, body: aws("InternalServiceError", ""), want: secrets.ErrUnavailable},
		{status: 400, body: "an unexpected error occurred while executing request", want: secrets.ErrUnavailable},
		{status: 500, body: aws("InternalFailure", ""), want: secrets.ErrUnavailable},
		{status: 429, body: "Connection limit exceeded", want: secrets.ErrUnavailable},
		{status: 502, body: aws("ConnectionError", "Read Error"), want: secrets.ErrUnavailable},
		{status: 504, body: aws("TimeoutError", "Timeout"), want: secrets.ErrUnavailable},

		{
			status: 400,
			body:   aws("AccessDeniedException", "User: u is not authorized to perform: secretsmanager:GetSecretValue"),
			want:   secrets.ErrDenied,
		},
		{status: 400, body: sdk("AccessDeniedException", "Access to KMS is not allowed"), want: secrets.ErrDenied},
		{status: 400, body: aws("UnrecognizedClientException", ""), want: secrets.ErrDenied},
		{status: 400, body: aws("ExpiredTokenException", ""), want: secrets.ErrDenied},
		{status: 500, body: aws("AccessDeniedException", "from AppConfig"), want: secrets.ErrDenied},
		{status: 403, body: "Bad Token", want: secrets.ErrDenied},
		{status: 401, want: secrets.ErrDenied},
		// A name can be anything, and a denial is never taken for less.
		{status: 400, body: aws("AccessDeniedException", "on resource: ThrottlingException"), want: secrets.ErrDenied},

		{status: 400, body: aws("DecryptionFailure", ""), want: secrets.ErrUndecryptable},
		{status: 400, body: aws("InvalidKeyId", ""), want: secrets.ErrUndecryptable},

		{status: 400, body: aws("ResourceNotFoundException", "can't find the specified secret"), want: secrets.ErrNotFound},
		{status: 400, body: sdk("ParameterNotFound", ""), want: secrets.ErrNotFound},
		{status: 400, body: aws("ParameterVersionNotFound", ""), want: secrets.ErrNotFound},
		{status: 400, body: aws("InvalidRequestException", "it was marked for deletion"), want: secrets.ErrNotFound},
		{status: 404, body: "Not found", want: secrets.ErrNotFound},

		{status: 400, body: aws("ValidationException", "")},
		{status: 400, body: "unknown parameter: x"},
		{status: 405, body: "Not allowed"},
		{status: 400, body: strings.Repeat("x", 4<<10) + "AccessDeniedException"}, // too far from the start
		{status: 404, body: "not ready to serve traffic, please wait", want: secrets.ErrNotFound},
		{status: 204},
		{status: 307},
	} {
		server := answering(t, tc.status, tc.body)
		for _, src := range []secrets.Source{
			agent.Secrets(agent.Address(server), token()),
			agent.Parameters(agent.Address(server), token()),
			agent.AppConfig(agent.Address(server)),
		} {
			got := one(invoked(t), src, secrets.Ref{Name: "a/b/c"})
			mustFailAs(t, got.Err, tc.want)
			if got.Err != nil && (!strings.HasPrefix(got.Err.Error(), "agent: ") || !strings.Contains(got.Err.Error(), `"a/b/c"`)) {
				t.Errorf("got %v, want an error that names the source and the secret", got.Err)
			}
		}
	}
}

func TestOneThatFailsHidesNoOther(t *testing.T) {
	a := agenttest.New(t)
	version := a.SetSecret("good", "v")
	a.SetSecret("denied", "v")
	a.SetSecret("throttled", "v")
	a.Fail("denied", agenttest.Refused("AccessDeniedException"))
	a.Fail("throttled", agenttest.Opaque())
	src := agent.Secrets(at(a)...)
	values, err := src.Fetch(invoked(t), []secrets.Ref{{Name: "denied"}, {Name: "none"}, {Name: "good"}, {}, {Name: "throttled"}, {Name: "good"}})
	if err != nil || len(values) != 6 {
		t.Fatalf("got %d values, %v, want one for each ref", len(values), err)
	}
	mustFailAs(t, values[0].Err, secrets.ErrDenied)
	mustFailAs(t, values[1].Err, secrets.ErrNotFound)
	mustBe(t, values[2], "v", version)
	mustFailAs(t, values[3].Err, nil)
	mustFailAs(t, values[4].Err, secrets.ErrUnavailable)
	mustBe(t, values[5], "v", version)

	a.Fail("denied", agenttest.Answer{})
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "denied"}), "v", version)
}

// What cannot be read is an answer, and an error that repeats nothing of it.
func TestAnswersThatCannotBeRead(t *testing.T) {
	const marker = "mArKeR7f3a"
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `"` + marker + `"`, marker,
		`{"SecretString":null,"SecretBinary":null}`,
		`{"SecretString":"` + marker + `","SecretBinary":"` + marker + `=="}`,
		`{"SecretString":"` + marker + `","SecretString":"` + marker + `"}`,
		`{"secretString":"` + marker + `"}`,
		`{"SecretString":{"` + marker + `":"` + marker + `"}}`,
		`{"SecretString":"` + marker + `"} ` + marker,
		`{"SecretString":"` + marker,
		`{"SecretString":"` + marker + "\xff" + `"}`,
		`{"SecretBinary":"` + marker + `!"}`,
		`{"SecretString":"` + marker + `","x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
		`{"Parameter":null}`, `{"Parameter":{}}`, `{"Parameter":{"Value":null,"Version":1}}`,
		`{"Parameter":{"Value":"` + marker + `","Version":"` + marker + `"}}`,
		`{"Parameter":{"Value":"` + marker + `","Version":1e99}}`,
		`{"Parameter":{"Value":7` + marker + `}}`,
	} {
		server := answering(t, 200, body)
		for _, src := range []secrets.Source{
			agent.Secrets(agent.Address(server), token()),
			agent.Parameters(agent.Address(server), token()),
		} {
			got := one(invoked(t), src, secrets.Ref{Name: "x"})
			mustFailAs(t, got.Err, nil)
			if got.Data != nil || strings.Contains(fmt.Sprintf("%v %+v %#v", got.Err, got.Err, got.Err), marker) {
				t.Errorf("answer %q: got %q, %v, want an error without it", body, got.Data, got.Err)
			}
		}
	}
}
