package awsparams_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
)

func members(t *testing.T, v secrets.Value) map[string]string {
	t.Helper()
	if v.Err != nil {
		t.Fatal(v.Err)
	}
	var out map[string]string
	if err := json.Unmarshal(v.Data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAPathIsAnObjectOfWhatIsBelowIt(t *testing.T) {
	s := setUp(t)
	want := make(map[string]string)
	for i := range 23 {
		name := fmt.Sprint("app/level/", i)
		s.put(t, name, fmt.Sprint("value ", i), types.ParameterTypeSecureString)
		want[fmt.Sprint("level/", i)] = fmt.Sprint("value ", i)
	}
	s.put(t, "app/top", `"a" <b>`, types.ParameterTypeString)
	want["top"] = `"a" <b>`
	s.put(t, "apple/pie", "another's", types.ParameterTypeString)

	values := awstest.Fetch(t, s.source, awstest.Named(s.prefix+"app/", s.prefix+"apple/pie")...)
	if got := members(t, values[0]); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	awstest.MustHave(t, values[1], "another's")
	if got := s.Taken(); !maps.Equal(got, map[string]int{"GetParametersByPath": 3, "GetParameters": 1}) {
		t.Errorf("requests %v", got)
	}
}

func TestAPathLeftEncrypted(t *testing.T) {
	s := setUp(t)
	s.put(t, "app/secure", "hidden", types.ParameterTypeSecureString)
	s.put(t, "app/text", "plain", types.ParameterTypeString)
	got := members(t, awstest.Fetch(t, s.source, secrets.Ref{Name: s.prefix + "app/", Encrypted: true})[0])
	if got["secure"] == "hidden" || got["secure"] == "" || got["text"] != "plain" {
		t.Error(got)
	}
}

func TestTheVersionOfAPathChangesWithWhatIsBelowIt(t *testing.T) {
	s := setUp(t)
	seen := make(map[string]string)
	step := func(name string, changes bool) {
		t.Helper()
		v := awstest.Fetch(t, s.source, awstest.Named(s.prefix+"app/")...)[0]
		if v.Err != nil || v.Version == "" {
			t.Fatalf("%s: %q, %v", name, v.Version, v.Err)
		}
		if _, known := seen[v.Version]; known == changes {
			t.Errorf("%s: a new version %v, want %v", name, !known, changes)
		}
		seen[v.Version] = name
	}
	s.put(t, "app/a", "1", types.ParameterTypeString)
	step("at first", true)
	step("once more", false)
	s.put(t, "app/a", "2", types.ParameterTypeString)
	step("with another value", true)
	b := s.put(t, "app/b", "1", types.ParameterTypeString)
	step("with another parameter", true)
	if _, err := s.direct.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: &b}); err != nil {
		t.Fatal(err)
	}
	step("without it again", false)
}

func TestTheVersionOfAPathChangesWhenAParameterIsMadeAnew(t *testing.T) {
	p, source := stub(t)
	version := func(value string, modified float64) string {
		p.Meet("GetParametersByPath", awstest.Answer(map[string]any{"Parameters": []map[string]any{
			{"Name": "/app/a", "Value": value, "Version": 1, "LastModifiedDate": modified},
		}}))
		v := awstest.Fetch(t, source, awstest.Named("/app/")...)[0]
		if v.Err != nil {
			t.Fatal(v.Err)
		}
		return v.Version
	}
	if version("1", 1_700_000_000.5) == version("2", 1_700_000_001.5) {
		t.Error("it is the same")
	}
}

func TestAPathWithNothingBelowItIsNotFound(t *testing.T) {
	s := setUp(t)
	awstest.MustMean(t, awstest.Fetch(t, s.source, awstest.Named(s.prefix+"empty/")...)[0].Err, secrets.ErrNotFound)
}

// The API reference allows pages with nothing on them; moto has none.
func TestAnEmptyPageIsNotTheLast(t *testing.T) {
	p, source := stub(t)
	pages := []map[string]any{
		{"NextToken": "1"},
		{"NextToken": "2", "Parameters": []map[string]any{{"Name": "/app/a", "Value": "1", "Version": 1}}},
		{"NextToken": "3"},
		{"Parameters": []map[string]any{{"Name": "/app/b", "Value": "2", "Version": 1}}},
	}
	p.Meet("GetParametersByPath", func(w http.ResponseWriter, r *http.Request, body []byte) {
		awstest.Answer(pages[0])(w, r, body)
		pages = pages[1:]
	})
	awstest.MustHave(t, awstest.Fetch(t, source, awstest.Named("/app/")...)[0], `{"a":"1","b":"2"}`)
}

func TestAPathThatDoesNotEndIsLeft(t *testing.T) {
	p, source := stub(t)
	p.Meet("GetParametersByPath", awstest.Answer(map[string]any{"NextToken": "again"}))
	awstest.MustMean(t, awstest.Fetch(t, source, awstest.Named("/app/")...)[0].Err, nil)
	if got := p.Taken(); !maps.Equal(got, map[string]int{"GetParametersByPath": 100}) {
		t.Errorf("requests %v", got)
	}
}

func TestAFailureOnALaterPageIsThatOfThePath(t *testing.T) {
	p, source := stub(t)
	served := 0
	p.Meet("GetParametersByPath", func(w http.ResponseWriter, r *http.Request, body []byte) {
		if served++; served == 1 {
			awstest.Answer(map[string]any{"NextToken": "1", "Parameters": []map[string]any{{"Name": "/app/a", "Value": "1"}}})(w, r, body)
			return
		}
		awstest.Refuse(400, "ThrottlingException")(w, r, body)
	})
	v := awstest.Fetch(t, source, awstest.Named("/app/")...)[0]
	awstest.MustMean(t, v.Err, secrets.ErrUnavailable)
	if v.Data != nil {
		t.Error("half of it is given")
	}
}

func TestAPathWithAParameterThatHasNoValueIsAnError(t *testing.T) {
	p, source := stub(t)
	p.Meet("GetParametersByPath", awstest.Answer(map[string]any{"Parameters": []map[string]any{
		{"Name": "/app/a", "Value": "1"}, {"Name": "/app/b"},
	}}))
	v := awstest.Fetch(t, source, awstest.Named("/app/")...)[0]
	awstest.MustMean(t, v.Err, nil)
	if v.Data != nil {
		t.Errorf("with a value: %s", v.Data)
	}
}

type latin1 struct{ awsparams.Client }

func (latin1) GetParametersByPath(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	return &ssm.GetParametersByPathOutput{Parameters: []types.Parameter{{Name: ptr("/app/a"), Value: ptr("hunter2 \xe9")}}}, nil
}

func TestAPathIsOfUTF8(t *testing.T) {
	err := awstest.Fetch(t, awsparams.New(latin1{}), awstest.Named("/app/")...)[0].Err
	awstest.MustMean(t, err, nil)
	if strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func ptr(s string) *string { return &s }
