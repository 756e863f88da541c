package exampletest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A usage plan counts a request only if each of its parts names the next: the API
// takes the key from its authorizer, each method needs one, and the key is in the
// plan of the stage.
func TestTheUsagePlanOfTheDocumentIsWhole(t *testing.T) {
	text, err := os.ReadFile("../../docs/quotas.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatal("docs/quotas.md has no template")
	}
	var template struct {
		Resources map[string]resource `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(found[1], &template); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for name, r := range template.Resources {
		types[name] = r.Type
	}
	properties := func(name string) *yaml.Node { r := template.Resources[name]; return &r.Properties }

	api := decode[struct {
		StageName        string `yaml:"StageName"`
		APIKeySourceType string `yaml:"ApiKeySourceType"`
		Auth             struct {
			APIKeyRequired    bool   `yaml:"ApiKeyRequired"`
			DefaultAuthorizer string `yaml:"DefaultAuthorizer"`
			Authorizers       map[string]struct {
				FunctionPayloadType string `yaml:"FunctionPayloadType"`
				Identity            struct {
					Headers []string `yaml:"Headers"`
				} `yaml:"Identity"`
			} `yaml:"Authorizers"`
		} `yaml:"Auth"`
	}](t, properties("Api"))
	authorizer, ok := api.Auth.Authorizers[api.Auth.DefaultAuthorizer]
	if types["Api"] != "AWS::Serverless::Api" || api.StageName == "" || api.APIKeySourceType != "AUTHORIZER" || !api.Auth.APIKeyRequired || !ok {
		t.Errorf("the API is %q, %+v", types["Api"], api)
	}
	if authorizer.FunctionPayloadType != "REQUEST" || len(authorizer.Identity.Headers) != 1 ||
		!strings.Contains(string(text), `authorizer.IdentitySources("method.request.header.`+authorizer.Identity.Headers[0]+`")`) ||
		!strings.Contains(string(text), `authorizer.APIKey("`+authorizer.Identity.Headers[0]+`", keys)`) {
		t.Errorf("the authorizer is %+v, and the code beside it has other identity sources", authorizer)
	}

	plan := decode[struct {
		APIStages []struct {
			APIID string `yaml:"ApiId"`
			Stage string `yaml:"Stage"`
		} `yaml:"ApiStages"`
		Throttle struct {
			RateLimit  float64 `yaml:"RateLimit"`
			BurstLimit int     `yaml:"BurstLimit"`
		} `yaml:"Throttle"`
		Quota struct {
			Limit  int    `yaml:"Limit"`
			Period string `yaml:"Period"`
		} `yaml:"Quota"`
	}](t, properties("Plan"))
	if len(plan.APIStages) != 1 || plan.APIStages[0].APIID != "Api" || plan.APIStages[0].Stage != "Api.Stage" ||
		plan.Throttle.RateLimit <= 0 || plan.Throttle.BurstLimit <= 0 || plan.Quota.Limit <= 0 || plan.Quota.Period != "DAY" || types["Plan"] != "AWS::ApiGateway::UsagePlan" {
		t.Errorf("the plan is %q, %+v", types["Plan"], plan)
	}

	key := decode[struct {
		Enabled bool   `yaml:"Enabled"`
		Value   string `yaml:"Value"`
	}](t, properties("ShopKey"))
	if !key.Enabled || !strings.HasPrefix(key.Value, "{{resolve:secretsmanager:") || types["ShopKey"] != "AWS::ApiGateway::ApiKey" {
		t.Errorf("the key is %q, %+v, want one whose value the authorizer can know", types["ShopKey"], key)
	}

	member := decode[map[string]string](t, properties("ShopInPlan"))
	if types[member["KeyId"]] != "AWS::ApiGateway::ApiKey" || member["KeyType"] != "API_KEY" || types[member["UsagePlanId"]] != "AWS::ApiGateway::UsagePlan" ||
		types["ShopInPlan"] != "AWS::ApiGateway::UsagePlanKey" {
		t.Errorf("the key's place in the plan is %q, %v", types["ShopInPlan"], member)
	}
}
