package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// templateNames are where SAM looks for a template.
var templateNames = [...]string{"template.yaml", "template.yml", "template.json"}

// templateRoutes returns the routes of a SAM template in the function's folder, in the
// template's order, and $default behind them, so that other requests reach the
// function as well. Without a template, or without routes in it, there are none.
func templateRoutes(dir string) ([]string, error) {
	name, text, err := readTemplate(dir)
	if err != nil || name == "" {
		return nil, err
	}
	routes, err := parseTemplate(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(routes) > 0 && !slices.Contains(routes, "$default") {
		routes = append(routes, "$default")
	}
	return routes, nil
}

// readTemplate returns the first template in dir, and no name if there is none.
func readTemplate(dir string) (name string, text []byte, err error) {
	for _, name := range templateNames {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return name, text, err
	}
	return "", nil, nil
}

// samFunction has the used properties of AWS::Serverless::Function.
type samFunction struct {
	Type       string `yaml:"Type"`
	Properties struct {
		CodeURI yaml.Node `yaml:"CodeUri"`
		Events  yaml.Node `yaml:"Events"`
	} `yaml:"Properties"`
}

// samEvent is a route, if it is of the type HttpApi.
type samEvent struct {
	Type       string `yaml:"Type"`
	Properties struct {
		Method string `yaml:"Method"`
		Path   string `yaml:"Path"`
	} `yaml:"Properties"`
}

// parseTemplate returns the routes of the functions whose code is beside the
// template.
func parseTemplate(text []byte) (routes []string, err error) {
	var template struct {
		Resources yaml.Node `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		return nil, err
	}
	for name, node := range members(&template.Resources) {
		var fn samFunction
		if err := node.Decode(&fn); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if fn.Type != "AWS::Serverless::Function" || !beside(fn.Properties.CodeURI.Value) {
			continue
		}
		for _, node := range members(&fn.Properties.Events) {
			var event samEvent
			if err := node.Decode(&event); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if event.Type != "HttpApi" {
				continue
			}
			route := event.route()
			if err := gateway.CheckRoute(route); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if !slices.Contains(routes, route) {
				routes = append(routes, route)
			}
		}
	}
	return routes, nil
}

// route is the event's route key. Without a path it is $default.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-httpapi.html
func (e *samEvent) route() string {
	switch method := strings.ToUpper(e.Properties.Method); {
	case e.Properties.Path == "" || e.Properties.Path == "$default":
		return "$default"
	case method == "" || method == "X-AMAZON-APIGATEWAY-ANY-METHOD":
		return "ANY " + e.Properties.Path
	default:
		return method + " " + e.Properties.Path
	}
}

// beside reports whether a function's code is in the template's own folder.
func beside(codeURI string) bool {
	return filepath.Clean(codeURI) == "."
}

// members iterates over a mapping in the order of the text.
func members(mapping *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if mapping.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			if !yield(mapping.Content[i].Value, mapping.Content[i+1]) {
				return
			}
		}
	}
}
