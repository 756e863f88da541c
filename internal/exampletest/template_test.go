package exampletest_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// resource is what matters here of a resource of a SAM template. References are
// their text: "Orders.Arn" is !GetAtt Orders.Arn.
type resource struct {
	Type       string    `yaml:"Type"`
	Properties yaml.Node `yaml:"Properties"`
}

type samFunction struct {
	CodeURI       string    `yaml:"CodeUri"`
	Runtime       string    `yaml:"Runtime"`
	Architectures []string  `yaml:"Architectures"`
	Role          string    `yaml:"Role"`
	Policies      yaml.Node `yaml:"Policies"`
	Environment   struct {
		Variables map[string]string `yaml:"Variables"`
	} `yaml:"Environment"`
	LoggingConfig struct {
		LogFormat string `yaml:"LogFormat"`
		LogGroup  string `yaml:"LogGroup"`
	} `yaml:"LoggingConfig"`
}

type samRole struct {
	Policies []struct {
		PolicyDocument struct {
			Statement []struct {
				Effect    string                       `yaml:"Effect"`
				Action    actions                      `yaml:"Action"`
				Resource  string                       `yaml:"Resource"`
				Condition map[string]map[string]string `yaml:"Condition"`
			} `yaml:"Statement"`
		} `yaml:"PolicyDocument"`
	} `yaml:"Policies"`
}

// actions are one or several.
type actions []string

func (a *actions) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*a = actions{node.Value}
		return nil
	}
	return node.Decode((*[]string)(a))
}

// resourcesOf are those of an example's template.
func resourcesOf(t *testing.T, example string) map[string]resource {
	t.Helper()
	return resourcesIn(t, example+"/template.yaml")
}

func resourcesIn(t *testing.T, file string) map[string]resource {
	t.Helper()
	text, err := os.ReadFile("../../examples/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]resource `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	return template.Resources
}

func decode[T any](t *testing.T, node *yaml.Node) T {
	t.Helper()
	var v T
	if err := node.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// reads are the variables that the code in a folder asks for, but for those of
// Lambda and of a local run.
func reads(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(files), err)
	}
	names := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(text), "//go:build otel\n") { // for another template
			continue
		}
		for _, found := range regexp.MustCompile(`os\.Getenv\("([^"]+)"\)`).FindAllSubmatch(text, -1) {
			if name := string(found[1]); !strings.HasSuffix(file, "_test.go") && !strings.HasPrefix(name, "AWS_") {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// objects are those of a bucket of the template, below a prefix.
var objects = regexp.MustCompile(`^\$\{(\w+\.Arn)\}/[a-z/-]+/\*$`)

// A function gets the variables that it reads, and a role that names each action
// and each resource: SAM's own may write to every log of the account. Only the
// objects of a bucket of the template have no names.
func TestTheTemplatesGiveAFunctionWhatItNeedsAndNoMore(t *testing.T) {
	agents := map[string]bool{ // read by what runs beside a function
		"SECRETS_MANAGER_TTL": true, "CACHE_EXTENSION_TTL": true, "CACHE_EXTENSION_INIT_STARTUP": true,
		"LOGSHIPPER_BUCKET": true, "LOGSHIPPER_BUCKET_OWNER": true, "LOGSHIPPER_PREFIX": true,
	}
	for _, example := range []string{"authorizer", "cacheextension", "changes", "ingest", "logshipper", "orders", "queue", "rates", "redrive", "stream", "webhook"} {
		functions, resources := 0, resourcesOf(t, example)
		for name, r := range resources {
			if r.Type != "AWS::Serverless::Function" {
				continue
			}
			functions++
			t.Run(example+"/"+name, func(t *testing.T) {
				fn := decode[samFunction](t, &r.Properties)
				runtime, read := "provided.al2023", []string(nil)
				if example == "cacheextension" {
					runtime = "python3.13"
				} else {
					read = reads(t, filepath.Join("../../examples", example, fn.CodeURI))
				}
				if fn.Runtime != runtime || !slices.Equal(fn.Architectures, []string{"arm64"}) || fn.LoggingConfig.LogFormat != "JSON" {
					t.Errorf("%s, %q, %+v", fn.Runtime, fn.Architectures, fn.LoggingConfig)
				}
				given := maps.Clone(fn.Environment.Variables)
				maps.DeleteFunc(given, func(name, _ string) bool { return agents[name] })
				if got := slices.Sorted(maps.Keys(given)); !slices.Equal(got, read) {
					t.Errorf("it is given %q and reads %q", got, read)
				}

				role, ok := resources[strings.TrimSuffix(fn.Role, ".Arn")]
				if !ok || role.Type != "AWS::IAM::Role" || !fn.Policies.IsZero() {
					t.Fatalf("its role is %q", fn.Role)
				}
				logs := 0
				for _, policy := range decode[samRole](t, &role.Properties).Policies {
					for _, s := range policy.PolicyDocument.Statement {
						on := objects.ReplaceAllString(s.Resource, "$1")
						if joined := strings.Join(s.Action, " "); s.Effect != "Allow" || strings.Contains(joined+on, "*") || joined == "" || on == "" {
							t.Errorf("%s %q on %q", s.Effect, s.Action, s.Resource)
						}
						if slices.Equal(s.Action, actions{"logs:CreateLogStream", "logs:PutLogEvents"}) && s.Resource == fn.LoggingConfig.LogGroup+".Arn" {
							logs++
						}
					}
				}
				if group := resources[fn.LoggingConfig.LogGroup]; logs != 1 || group.Type != "AWS::Logs::LogGroup" {
					t.Errorf("%d statements of its log %q, a %q", logs, fn.LoggingConfig.LogGroup, group.Type)
				}
			})
		}
		if functions == 0 {
			t.Errorf("%s has no function", example)
		}
	}
}

// The template for a build with traces is the other one, with traces.
func TestTheTracedOrdersAreDeployedLikeTheOrders(t *testing.T) {
	want, got := resourcesOf(t, "orders"), resourcesIn(t, "orders/template.traced.yaml")
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, slices.Sorted(maps.Keys(want))) {
		t.Fatalf("got resources %q", names)
	}
	for name, r := range got {
		properties := decode[map[string]any](t, &r.Properties)
		switch name {
		case "Function":
			if properties["Tracing"] != "Active" {
				t.Errorf("got tracing %v, want Active: Lambda decides what is traced", properties["Tracing"])
			}
			delete(properties, "Tracing")
			variables := properties["Environment"].(map[string]any)["Variables"].(map[string]any)
			if endpoint := variables["OTEL_EXPORTER_OTLP_ENDPOINT"]; endpoint != "https://xray.${AWS::Region}.${AWS::URLSuffix}" {
				t.Errorf("spans are sent to %v", endpoint)
			}
			delete(variables, "OTEL_EXPORTER_OTLP_ENDPOINT")
		case "Role":
			document := properties["Policies"].([]any)[0].(map[string]any)["PolicyDocument"].(map[string]any)
			statements := document["Statement"].([]any)
			last := statements[len(statements)-1].(map[string]any)
			if !reflect.DeepEqual(last["Action"], []any{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}) {
				t.Errorf("the last statement is %v", last)
			}
			document["Statement"] = statements[:len(statements)-1]
		}
		of := want[name]
		if lean := decode[map[string]any](t, &of.Properties); r.Type != of.Type || !reflect.DeepEqual(properties, lean) {
			t.Errorf("%s: got %v, want %v", name, properties, lean)
		}
	}
}
