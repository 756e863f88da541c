package awssecrets_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

const (
	here  = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
	there = "arn:aws:secretsmanager:eu-central-1:444455556666:secret:"
)

// stub answers as the API reference describes it, where moto does not:
// BatchGetSecretValue with partial ARNs and without the secrets of other
// accounts, and what it may leave out.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
func stub(t *testing.T) (*proxy, *awssecrets.Source) {
	t.Helper()
	p := newProxy(t, "")
	p.meet("GetSecretValue", func(w http.ResponseWriter, _ *http.Request, body []byte) {
		var in struct{ SecretId string }
		if err := json.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(entry{Name: in.SecretId, SecretString: "single " + in.SecretId, VersionId: "v1"})
	})
	return p, awssecrets.New(connect(p.URL))
}

type (
	entry struct{ Name, ARN, SecretString, VersionId string }
	fault struct{ SecretId, ErrorCode, Message string }
	batch struct {
		SecretValues []entry `json:",omitempty"`
		Errors       []fault `json:",omitempty"`
		NextToken    string  `json:",omitempty"`
	}
)

func TestAnswersAreFoundByAnyNameOfASecret(t *testing.T) {
	p, source := stub(t)
	p.meet("BatchGetSecretValue", answer(batch{SecretValues: []entry{
		// In another order, and with names that look like one another's ARNs.
		{Name: "db-abcdef", ARN: here + "db-abcdef-UVWXYZ", SecretString: "db-abcdef"},
		{Name: "app/key", ARN: here + "app/key-GHIJKL", SecretString: "app/key"},
		{Name: "db", ARN: here + "db-abcdeg", SecretString: "db"},
	}}))
	names := []string{
		"db", here + "db", here + "db-abcdeg",
		"db-abcdef", here + "db-abcdef", here + "db-abcdef-UVWXYZ",
		"app/key", here + "app/key", here + "app/key-GHIJKL",
	}
	for i, v := range fetch(t, source, named(names...)...) {
		mustHave(t, v, []string{"db", "db-abcdef", "app/key"}[i/3])
	}
	if got := p.taken(); !maps.Equal(got, map[string]int{"BatchGetSecretValue": 1}) {
		t.Errorf("requests %v", got)
	}
}

func TestAnARNIsFoundWhereItIsAnothersPartialARN(t *testing.T) {
	p, source := stub(t)
	p.meet("BatchGetSecretValue", answer(batch{SecretValues: []entry{
		{Name: "db-abcdef", ARN: here + "db-abcdef-UVWXYZ", SecretString: "the longer"},
		{Name: "db", ARN: here + "db-abcdef", SecretString: "the shorter"},
	}}))
	mustHave(t, fetch(t, source, named(here+"db-abcdef", "db-abcdef")...)[0], "the shorter")
}

func TestMotoKnowsNamesAndARNs(t *testing.T) {
	s := setUp(t)
	a, arnA := s.create(t, "a", "value a")
	b, arnB := s.create(t, "b", "value b")
	for i, v := range fetch(t, s.source, named(a, arnB, b, arnA)...) {
		mustHave(t, v, []string{"value a", "value b", "value b", "value a"}[i])
	}
	mustHave(t, fetch(t, s.source, named(arnA)...)[0], "value a")
}

// BatchGetSecretValue is not among the operations that reach into other
// accounts, and a function does not know its own.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
func TestSecretsOfOtherAccountsAreFetchedByThemselves(t *testing.T) {
	for _, code := range []string{"AccessDeniedException", "ResourceNotFoundException", "InvalidRequestException"} {
		t.Run(code, func(t *testing.T) {
			p, source := stub(t)
			other := there + "key-MNOPQR"
			p.meet("BatchGetSecretValue", answer(batch{
				SecretValues: []entry{{Name: "mine", ARN: here + "mine-ABCDEF", SecretString: "mine"}},
				Errors:       []fault{{other, code, ""}, {"theirs", code, ""}},
			}))
			values := fetch(t, source, named("mine", other, "theirs")...)
			mustHave(t, values[0], "mine")
			mustHave(t, values[1], "single "+other)
			if values[2].Err == nil {
				t.Error("a name is of this account")
			}
			if got := p.taken(); !maps.Equal(got, map[string]int{"BatchGetSecretValue": 1, "GetSecretValue": 1}) {
				t.Errorf("requests %v", got)
			}
		})
	}
}

func TestABatchThatIsRefusedIsFetchedOneByOne(t *testing.T) {
	for _, code := range []string{"AccessDeniedException", "ValidationException", "InvalidParameterException"} {
		t.Run(code, func(t *testing.T) {
			p, source := stub(t)
			p.meet("BatchGetSecretValue", refuse(400, code))
			for i, v := range fetch(t, source, named("a", "b", "c")...) {
				mustHave(t, v, "single "+[]string{"a", "b", "c"}[i])
			}
			if got := p.taken(); !maps.Equal(got, map[string]int{"BatchGetSecretValue": 1, "GetSecretValue": 3}) {
				t.Errorf("requests %v", got)
			}
		})
	}
}

func TestABatchThatIsUnavailableIsNot(t *testing.T) {
	p, source := stub(t)
	p.meet("BatchGetSecretValue", refuse(400, "ThrottlingException"))
	for _, v := range fetch(t, source, named("a", "b")...) {
		if !errors.Is(v.Err, secrets.ErrUnavailable) {
			t.Error(v.Err)
		}
	}
	if got := p.taken(); got["GetSecretValue"] != 0 {
		t.Errorf("requests %v", got)
	}
}

func TestWhatABatchLeavesOutIsFetchedByItself(t *testing.T) {
	p, source := stub(t)
	p.meet("BatchGetSecretValue", answer(batch{SecretValues: []entry{{Name: "a", SecretString: "a"}}}))
	values := fetch(t, source, named("a", "b")...)
	mustHave(t, values[0], "a")
	mustHave(t, values[1], "single b")
}

func TestABatchInPages(t *testing.T) {
	p, source := stub(t)
	p.meet("BatchGetSecretValue", func(w http.ResponseWriter, r *http.Request, body []byte) {
		page := batch{SecretValues: []entry{{Name: "a", SecretString: "a"}}, NextToken: "more"}
		if strings.Contains(string(body), `"NextToken":"more"`) {
			page = batch{SecretValues: []entry{{Name: "b", SecretString: "b"}}}
		}
		answer(page)(w, r, body)
	})
	values := fetch(t, source, named("a", "b")...)
	mustHave(t, values[0], "a")
	mustHave(t, values[1], "b")
	if got := p.taken(); !maps.Equal(got, map[string]int{"BatchGetSecretValue": 2}) {
		t.Errorf("requests %v", got)
	}
}

func TestPagesThatDoNotEndAreLeft(t *testing.T) {
	p, source := stub(t)
	p.meet("BatchGetSecretValue", answer(batch{NextToken: "more"}))
	mustHave(t, fetch(t, source, named("a", "b")...)[1], "single b")
}

// A policy may depend on the stage that a request says.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
func TestOnlyAStageThatIsAskedForIsSaid(t *testing.T) {
	p, source := stub(t)
	var said []map[string]string
	p.meet("GetSecretValue", func(w http.ResponseWriter, r *http.Request, body []byte) {
		var in map[string]string
		if err := json.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		said = append(said, in)
		answer(entry{SecretString: "value"})(w, r, body)
	})
	for _, tt := range []struct {
		ref  secrets.Ref
		want map[string]string
	}{
		{secrets.Ref{Name: "a"}, map[string]string{"SecretId": "a"}},
		{secrets.Ref{Name: "a", Stage: "AWSCURRENT"}, map[string]string{"SecretId": "a", "VersionStage": "AWSCURRENT"}},
		{secrets.Ref{Name: "a", Version: "v"}, map[string]string{"SecretId": "a", "VersionId": "v"}},
	} {
		mustHave(t, fetch(t, source, tt.ref)[0], "value")
		if got := said[len(said)-1]; !maps.Equal(got, tt.want) {
			t.Errorf("%v, want %v", got, tt.want)
		}
	}
}
