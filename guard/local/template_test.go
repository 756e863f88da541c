package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRoutesAreThoseOfTheTemplate(t *testing.T) {
	const head = "Resources:\n"
	for name, c := range map[string]struct {
		file, text string
		want       []string
		err        string
	}{
		"no template": {},
		"in order, and all else": {file: "template.yaml", text: head + `
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Role: !GetAtt Role.Arn
      Events:
        Z: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: post, Path: /orders}}
        A: {Type: HttpApi, Properties: {Method: GET, Path: "/orders/{id}"}}
        Q: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
`, want: []string{"POST /orders", "GET /orders/{id}", "$default"}},
		"any method, any path": {file: "template.yml", text: head + `
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./
      Events:
        All: {Type: HttpApi}
        Files: {Type: HttpApi, Properties: {Method: any, Path: "/files/{proxy+}"}}
`, want: []string{"$default", "ANY /files/{proxy+}"}},
		"in JSON": {
			file: "template.json",
			text: `{"Resources":{"F":{"Type":"AWS::Serverless::Function","Properties":{"CodeUri":".","Events":{"E":{"Type":"HttpApi","Properties":{"Method":"PUT","Path":"/x"}}}}}}}`,
			want: []string{"PUT /x", "$default"},
		},
		"another function's": {file: "template.yaml", text: head + `
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../orders
      Events:
        E: {Type: HttpApi, Properties: {Method: PUT, Path: /x}}
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${X}-y"}}
`},
		"no function":  {file: "template.yaml", text: "Resources: {}\n"},
		"an empty one": {file: "template.yaml"},
		"no YAML":      {file: "template.yaml", text: "Resources: [", err: "template.yaml: yaml"},
		"no route": {file: "template.yaml", text: head + `
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Events:
        E: {Type: HttpApi, Properties: {Method: PUT, Path: !Ref Path}}
`, err: "template.yaml: F: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.file != "" {
				if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := templateRoutes(dir)
			if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestTheExamplesHaveRoutes(t *testing.T) {
	templates, err := filepath.Glob("../../examples/*/template.yaml")
	if err != nil || len(templates) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, template := range templates {
		if _, err := templateRoutes(filepath.Dir(template)); err != nil {
			t.Errorf("%s: %v", template, err)
		}
	}
	orders, _ := templateRoutes("../../examples/orders")
	if !slices.Equal(orders, []string{"POST /orders", "GET /orders/{id}", "$default"}) {
		t.Errorf("orders has %q", orders)
	}
}
