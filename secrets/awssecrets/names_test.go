package awssecrets_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
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
func stub(t *testing.T) (*awsproxy.Proxy, *awssecrets.Source) {
	t.Helper()
	p := awsproxy.New(t, "")
	p.Meet("GetSecretValue", func(w http.ResponseWriter, _ *http.Request, body []byte) {
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
	var ids, want []string
	p, source := stub(t)
	p.Meet("BatchGetSecretValue", awstest.Answer(batch{SecretValues: []entry{
		// In another order, and with names that look like one another's ARNs.
		{Name: "db-abcdef", ARN: here + "db-abcdef-UVWXYZ", SecretString: "db-abcdef"},
		{Name: "app/key", ARN: here + "app/key-GHIJKL", SecretString: "app/key"},
		{Name: "db", ARN: here + "db-abcdeg", SecretString: "db"},
	}}))
	for _, tt := range []struct{ id, want string }{
		{id: "db", want: "db"},
		{id: here + "db", want: "db"},
		{id: here + "db-abcdeg", want: "db"},
		{id: "db-abcdef", want: "db-abcdef"},
		{id: here + "db-abcdef-UVWXYZ", want: "db-abcdef"},
		{id: "app/key", want: "app/key"},
		{id: here + "app/key", want: "app/key"},
		{id: here + "app/key-GHIJKL", want: "app/key"},
	} {
		ids, want = append(ids, tt.id), append(want, tt.want)
	}
	for i, v := range awstest.Fetch(t, source, awstest.Named(ids...)...) {
		awstest.MustHave(t, v, want[i])
	}
	mustTake(t, p, map[string]int{"BatchGetSecretValue": 1})
}

// Only Secrets Manager knows which secret it is.
func TestAPartialARNThatLooksWholeIsFetchedByItself(t *testing.T) {
	p, source := stub(t)
	p.Meet("BatchGetSecretValue", awstest.Answer(batch{SecretValues: []entry{
		{Name: "db-abcdef", ARN: here + "db-abcdef-UVWXYZ", SecretString: "db-abcdef"},
		{Name: "other", SecretString: "other"},
	}}))
	awstest.MustHave(t, awstest.Fetch(t, source, awstest.Named(here+"db-abcdef", "other")...)[0], "single "+here+"db-abcdef")
}

// The ARN of one secret may be that of another one without its suffix, and is
// never taken for it.
func TestAnARNIsNotAnothersPartialARN(t *testing.T) {
	const arn = here + "db-abcdef"
	shorter := entry{Name: "db", ARN: arn, SecretString: "the shorter"}
	longer := entry{Name: "db-abcdef", ARN: arn + "-UVWXYZ", SecretString: "the longer"}
	for name, tt := range map[string]struct {
		pages []batch
		want  string
	}{
		"among others":  {pages: []batch{{SecretValues: []entry{longer, shorter}}}, want: "the shorter"},
		"a page before": {pages: []batch{{SecretValues: []entry{shorter}}, {SecretValues: []entry{longer}}}, want: "the shorter"},
		"a page after":  {pages: []batch{{SecretValues: []entry{longer}}, {SecretValues: []entry{shorter}}}, want: "the shorter"},
		"left out":      {pages: []batch{{SecretValues: []entry{longer}}}, want: "single " + arn},
		"refused": {
			pages: []batch{{SecretValues: []entry{longer}, Errors: []fault{{
				SecretId:  arn,
				ErrorCode: "AccessDeniedException",
			}}}},
			want: "single " + arn,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, source := stub(t)
			p.Meet("BatchGetSecretValue", func(w http.ResponseWriter, r *http.Request, body []byte) {
				page := tt.pages[0]
				if tt.pages = tt.pages[1:]; len(tt.pages) > 0 {
					page.NextToken = "more"
				}
				awstest.Answer(page)(w, r, body)
			})
			values := awstest.Fetch(t, source, awstest.Named(arn, "db-abcdef")...)
			awstest.MustHave(t, values[0], tt.want)
			awstest.MustHave(t, values[1], "the longer")
		})
	}
}

func TestMotoKnowsNamesAndARNs(t *testing.T) {
	s := setUp(t)
	a, arnA := s.create(t, "a", "value a")
	b, arnB := s.create(t, "b", "value b")
	for i, v := range awstest.Fetch(t, s.source, awstest.Named(a, arnB, b, arnA)...) {
		awstest.MustHave(t, v, []string{"value a", "value b", "value b", "value a"}[i])
	}
	awstest.MustHave(t, awstest.Fetch(t, s.source, awstest.Named(arnA)...)[0], "value a")
}

// BatchGetSecretValue is not among the operations that reach into other
// accounts, and a function does not know its own.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
func TestSecretsOfOtherAccountsAreFetchedByThemselves(t *testing.T) {
	for _, code := range []string{"AccessDeniedException", "ResourceNotFoundException", "InvalidRequestException"} {
		t.Run(code, func(t *testing.T) {
			p, source := stub(t)
			other := there + "key-MNOPQR"
			p.Meet("BatchGetSecretValue", awstest.Answer(batch{
				SecretValues: []entry{{Name: "mine", ARN: here + "mine-ABCDEF", SecretString: "mine"}},
				Errors:       []fault{{SecretId: other, ErrorCode: code}, {SecretId: "theirs", ErrorCode: code}},
			}))
			values := awstest.Fetch(t, source, awstest.Named("mine", other, "theirs")...)
			awstest.MustHave(t, values[0], "mine")
			awstest.MustHave(t, values[1], "single "+other)
			if values[2].Err == nil {
				t.Error("got a value for a name, which is of this account, want an error")
			}
			mustTake(t, p, map[string]int{"BatchGetSecretValue": 1, "GetSecretValue": 1})
		})
	}
}

func TestABatchThatIsRefusedIsFetchedOneByOne(t *testing.T) {
	for _, code := range []string{"AccessDeniedException", "ValidationException", "InvalidParameterException"} {
		t.Run(code, func(t *testing.T) {
			p, source := stub(t)
			p.Meet("BatchGetSecretValue", awstest.Refuse(400, code))
			for i, v := range awstest.Fetch(t, source, awstest.Named("a", "b", "c")...) {
				awstest.MustHave(t, v, "single "+[]string{"a", "b", "c"}[i])
			}
			mustTake(t, p, map[string]int{"BatchGetSecretValue": 1, "GetSecretValue": 3})
		})
	}
}

func TestABatchThatIsUnavailableIsNot(t *testing.T) {
	p, source := stub(t)
	p.Meet("BatchGetSecretValue", awstest.Refuse(400, "ThrottlingException"))
	for _, v := range awstest.Fetch(t, source, awstest.Named("a", "b")...) {
		if !errors.Is(v.Err, secrets.ErrUnavailable) {
			t.Errorf("got %v, want %v", v.Err, secrets.ErrUnavailable)
		}
	}
	if got := p.Taken(); got["GetSecretValue"] != 0 {
		t.Errorf("got requests %v, want no GetSecretValue", got)
	}
}

func TestAnARNThatIsUnavailableInABatchIsNotAskedForAgain(t *testing.T) {
	p, source := stub(t)
	arn := there + "key-MNOPQR"
	p.Meet("BatchGetSecretValue", awstest.Answer(batch{
		SecretValues: []entry{{Name: "mine", SecretString: "mine"}}, Errors: []fault{{
			SecretId:  arn,
			ErrorCode: "ThrottlingException",
		}},
	}))
	values := awstest.Fetch(t, source, awstest.Named("mine", arn)...)
	awstest.MustHave(t, values[0], "mine")
	awstest.MustMean(t, values[1].Err, secrets.ErrUnavailable)
	mustTake(t, p, map[string]int{"BatchGetSecretValue": 1})
}

func TestWhatABatchLeavesOutIsFetchedByItself(t *testing.T) {
	p, source := stub(t)
	p.Meet("BatchGetSecretValue", awstest.Answer(batch{SecretValues: []entry{{Name: "a", SecretString: "a"}}}))
	values := awstest.Fetch(t, source, awstest.Named("a", "b")...)
	awstest.MustHave(t, values[0], "a")
	awstest.MustHave(t, values[1], "single b")
}

func TestABatchInPages(t *testing.T) {
	p, source := stub(t)
	p.Meet("BatchGetSecretValue", func(w http.ResponseWriter, r *http.Request, body []byte) {
		page := batch{SecretValues: []entry{{Name: "a", SecretString: "a"}}, NextToken: "more"}
		if strings.Contains(string(body), `"NextToken":"more"`) {
			page = batch{SecretValues: []entry{{Name: "b", SecretString: "b"}}}
		}
		awstest.Answer(page)(w, r, body)
	})
	values := awstest.Fetch(t, source, awstest.Named("a", "b")...)
	awstest.MustHave(t, values[0], "a")
	awstest.MustHave(t, values[1], "b")
	mustTake(t, p, map[string]int{"BatchGetSecretValue": 2})
}

func TestAPageThatFailsLeavesTheOnesBefore(t *testing.T) {
	p, source := stub(t)
	p.Meet("BatchGetSecretValue", func(w http.ResponseWriter, r *http.Request, body []byte) {
		if strings.Contains(string(body), `"NextToken":"more"`) {
			awstest.Refuse(400, "ThrottlingException")(w, r, body)
			return
		}
		awstest.Answer(batch{SecretValues: []entry{{Name: "a", SecretString: "a"}}, NextToken: "more"})(w, r, body)
	})
	values := awstest.Fetch(t, source, awstest.Named("a", "b")...)
	awstest.MustHave(t, values[0], "a")
	awstest.MustMean(t, values[1].Err, secrets.ErrUnavailable)
}

func TestNamesAndAnswersThatAreNoARNs(t *testing.T) {
	p, source := stub(t)
	const cut = here + "db"
	p.Meet("BatchGetSecretValue", awstest.Answer(batch{SecretValues: []entry{
		{Name: "no ARN", SecretString: "another's"},
		{Name: "another form", ARN: cut + "+UVWXYZ", SecretString: "another's"},
		{Name: "a", SecretString: "a"},
	}}))
	values := awstest.Fetch(t, source, awstest.Named("arn:", cut, "a")...)
	awstest.MustHave(t, values[0], "single arn:")
	awstest.MustHave(t, values[1], "single "+cut)
	awstest.MustHave(t, values[2], "a")
}

func TestPagesThatDoNotEndAreLeft(t *testing.T) {
	p, source := stub(t)
	p.Meet("BatchGetSecretValue", awstest.Answer(batch{NextToken: "more"}))
	awstest.MustHave(t, awstest.Fetch(t, source, awstest.Named("a", "b")...)[1], "single b")
}

// A policy may depend on the stage that a request says.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
func TestOnlyAStageThatIsAskedForIsSaid(t *testing.T) {
	p, source := stub(t)
	var said []map[string]string
	p.Meet("GetSecretValue", func(w http.ResponseWriter, r *http.Request, body []byte) {
		var in map[string]string
		if err := json.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		said = append(said, in)
		awstest.Answer(entry{SecretString: "value"})(w, r, body)
	})
	for _, tt := range []struct {
		ref  secrets.Ref
		want map[string]string
	}{
		{ref: secrets.Ref{Name: "a"}, want: map[string]string{"SecretId": "a"}},
		{ref: secrets.Ref{Name: "a", Stage: "AWSCURRENT"}, want: map[string]string{"SecretId": "a", "VersionStage": "AWSCURRENT"}},
		{ref: secrets.Ref{Name: "a", Version: "v"}, want: map[string]string{"SecretId": "a", "VersionId": "v"}},
	} {
		awstest.MustHave(t, awstest.Fetch(t, source, tt.ref)[0], "value")
		if got := said[len(said)-1]; !maps.Equal(got, tt.want) {
			t.Errorf("got a request of %v, want %v", got, tt.want)
		}
	}
}
