package awsparams_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
)

type parameter struct {
	Name, ARN, Value, Selector, SourceResult string
	Version                                  int64
}

// stub answers as the API reference describes it, where moto does not: with the
// Selector, with the full name of a reference, and with the denial of a whole
// request for one parameter of it. Parameters whose name has "denied" in it are.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
// https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
func stub(t *testing.T) (*awsproxy.Proxy, *awsparams.Source) {
	t.Helper()
	p := awsproxy.New(t, "")
	p.Meet("GetParameters", func(w http.ResponseWriter, r *http.Request, body []byte) {
		var in struct{ Names []string }
		if err := json.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		slices.Sort(in.Names) // "listed in alphabetical order"
		if slices.ContainsFunc(in.Names, func(name string) bool { return strings.Contains(name, "denied") }) {
			awstest.Refuse(400, "AccessDeniedException")(w, r, body)
			return
		}
		found := make([]parameter, len(in.Names))
		for i, asked := range in.Names {
			found[i] = describe(asked)
		}
		awstest.Answer(map[string]any{"Parameters": found})(w, r, body)
	})
	return p, awsparams.New(connect(p.URL))
}

func describe(asked string) parameter {
	p := parameter{Name: asked, Value: "value of " + asked, Version: 4}
	prefix, rest := "arn:aws:ssm:eu-central-1:111122223333:parameter", asked
	if i := strings.Index(asked, ":parameter/"); i > 0 {
		prefix, rest = asked[:i+len(":parameter")], asked[i+len(":parameter"):]
	}
	name, selector, found := strings.Cut(rest, ":")
	p.Name, p.ARN = name, prefix+name
	if found {
		p.Selector = ":" + selector
	}
	if strings.HasPrefix(name, "/aws/reference/") {
		p.Version = 0
		p.SourceResult = `{"ARN":"arn:aws:secretsmanager:eu-central-1:111122223333:secret:s-ABCDEF","Name":"s","VersionId":"v-1","SecretString":"x","VersionStages":["AWSCURRENT"],"CreatedDate":1.5}`
	}
	return p
}

func TestEachRefHasItsOwnAnswer(t *testing.T) {
	p, source := stub(t)
	const (
		mine   = "arn:aws:ssm:eu-central-1:111122223333:parameter/a"
		theirs = "arn:aws:ssm:eu-central-1:444455556666:parameter/a"
	)
	names := []string{"/a", "/a:1", "/a:stable", "/b", mine, theirs, mine + ":2", theirs + ":2", "/aws/reference/secretsmanager/a"}
	values := awstest.Fetch(t, source, awstest.Named(names...)...)
	for i, v := range values {
		awstest.MustHave(t, v, "value of "+names[i])
	}
	// /a three times, ARNs twice, references by themselves.
	mustTake(t, p, 6)
}

func TestTheVersionOfAReferenceIsTheSecrets(t *testing.T) {
	p, source := stub(t)
	const name = "/aws/reference/secretsmanager/a"
	if v := awstest.Fetch(t, source, awstest.Named(name)...)[0]; v.Version != "v-1" || v.Err != nil {
		t.Errorf("%q, %v", v.Version, v.Err)
	}
	// As clients of AWS have recorded it.
	p.Meet("GetParameters", awstest.Answer(map[string]any{"Parameters": []parameter{{Name: name, Value: "x", SourceResult: `{"name":"a","versionId":"v-2","createdDate":"Nov 16, 2022"}`}}}))
	if v := awstest.Fetch(t, source, awstest.Named(name)...)[0]; v.Version != "v-2" || v.Err != nil {
		t.Errorf("got version %q, %v, want v-2", v.Version, v.Err)
	}
	for _, broken := range []string{"{", `{"VersionId":"v-1"`, `{"VersionId":"v-1","VersionId":"v-2"}`} {
		p.Meet("GetParameters", awstest.Answer(map[string]any{"Parameters": []parameter{{Name: name, Value: "x", SourceResult: broken}}}))
		if v := awstest.Fetch(t, source, awstest.Named(name)...)[0]; v.Version != "" || v.Err != nil {
			t.Errorf("%s: got version %q, %v, want none", broken, v.Version, v.Err)
		}
	}
}

func TestOneThatIsDeniedDoesNotHideTheOthers(t *testing.T) {
	p, source := stub(t)
	values := awstest.Fetch(t, source, awstest.Named("/a", "/denied", "/b")...)
	awstest.MustHave(t, values[0], "value of /a")
	awstest.MustMean(t, values[1].Err, secrets.ErrDenied)
	awstest.MustHave(t, values[2], "value of /b")
	mustTake(t, p, 4)
}

func TestTheOneNameThatIsInvalidMayBeSpeltOtherwise(t *testing.T) {
	p, source := stub(t)
	p.Meet("GetParameters", awstest.Answer(map[string]any{"InvalidParameters": []string{"a"}}))
	awstest.MustMean(t, awstest.Fetch(t, source, awstest.Named("/a")...)[0].Err, secrets.ErrNotFound)
}

func TestRequestsThatAreUnavailableAreNotDivided(t *testing.T) {
	p, source := stub(t)
	p.Meet("GetParameters", awstest.Refuse(400, "ThrottlingException"))
	for _, v := range awstest.Fetch(t, source, awstest.Named("/a", "/b", "/c")...) {
		awstest.MustMean(t, v.Err, secrets.ErrUnavailable)
	}
	mustTake(t, p, 3) // the client's retries
}

func TestWhatAnAnswerLeavesOutIsAskedForByItself(t *testing.T) {
	p, source := stub(t)
	p.Meet("GetParameters", func(w http.ResponseWriter, r *http.Request, body []byte) {
		var found []parameter
		if !strings.Contains(string(body), `"/a"`) {
			found = append(found, describe("/b"))
		}
		awstest.Answer(map[string]any{"Parameters": found})(w, r, body)
	})
	values := awstest.Fetch(t, source, awstest.Named("/a", "/b")...)
	awstest.MustMean(t, values[0].Err, nil)
	awstest.MustHave(t, values[1], "value of /b")
	mustTake(t, p, 3)
}
