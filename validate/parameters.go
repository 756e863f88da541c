package validate

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

// Parameters returns a middleware that validates the path, query and header
// values of an HTTP request as one object. Header names are in lower case, and
// the three members are always there:
//
//	{"path": {"id": "o-1"}, "query": {"limit": 20}, "header": {"x-tenant": "t-7"}}
//
// A place is "/query/limit". The errors have the codes of [Body] for a schema,
// and malformed_query if the query string cannot be read.
//
// Values are strings. If the schema of a parameter does not allow a string, its
// value is converted where that is possible:
//
//	number, integer  a number as JSON writes it; 0x10, +1 and "" stay strings, and fail
//	boolean          true or false
//	array            all values of that name in the query, each converted
//
// The type is looked for under properties, through $ref and allOf. A parameter
// that is sent several times and is not an array has its values joined by
// commas, as API Gateway joins them for the handler.
//
// The wildcards of [httpapi.Routes] are path values too, but only those that
// the schema names under properties or required.
func Parameters(s *Schema, opts ...Option) guard.Middleware {
	p := &parameters{checker: newChecker("Parameters", s, opts)}
	for _, path := range p.rules(p.member([]program.ID{program.Root}, "path")) {
		if path.Keyword == "required" {
			p.wildcards = append(p.wildcards, path.Texts...)
		}
		for _, m := range path.Members {
			p.wildcards = append(p.wildcards, m.Name)
		}
	}
	return checking("validate.Parameters", func(ctx context.Context, payload []byte) error {
		req, err := guard.EventOf(ctx, payload).HTTP()
		if err != nil {
			return err
		}
		query, err := url.ParseQuery(req.RawQueryString)
		if err != nil {
			return guard.Errorf(guard.Invalid, "malformed_query", "The query string cannot be read.")
		}
		return p.check(map[string]any{
			"path":   p.group("path", p.pathValues(ctx, req), nil),
			"query":  p.group("query", queryValues(req, query), query),
			"header": p.group("header", req.Headers, nil),
		})
	})
}

type parameters struct {
	checker
	wildcards []string // of routes, that the schema names
}

// pathValues has the values of API Gateway's route and of a route of
// [httpapi.Routes].
func (p *parameters) pathValues(ctx context.Context, req *events.APIGatewayV2HTTPRequest) map[string]string {
	values := map[string]string{}
	maps.Copy(values, req.PathParameters)
	if routed, ok := httpapi.RequestFrom(ctx); ok {
		for _, name := range p.wildcards {
			if value := routed.PathValue(name); value != "" {
				values[name] = value
			}
		}
	}
	return values
}

// queryValues has the values that API Gateway has read, and the values that a
// handler would read from the query string.
func queryValues(req *events.APIGatewayV2HTTPRequest, query url.Values) map[string]string {
	values := make(map[string]string, len(query))
	for name, all := range query {
		values[name] = strings.Join(all, ",")
	}
	maps.Copy(values, req.QueryStringParameters)
	return values
}

// group makes the object of one kind of parameters. query has all values of a
// name.
func (p *parameters) group(kind string, values map[string]string, query url.Values) map[string]any {
	group := p.member([]program.ID{program.Root}, kind)
	object := make(map[string]any, len(values))
	for name, value := range values {
		all := query[name]
		if all == nil {
			all = []string{value}
		}
		object[name] = p.convert(p.member(group, name), value, all)
	}
	return object
}

// convert returns a value converted to the type of its schemas, if that is
// possible. all has the values of an array.
func (p *parameters) convert(ids []program.ID, value string, all []string) any {
	var types program.Types
	for _, id := range p.closure(ids) {
		if types == 0 {
			types = p.program.Schemas[id].Types
		}
	}
	switch {
	case types&program.String != 0:
		return value
	case types&program.Boolean != 0 && (value == "true" || value == "false"):
		return value == "true"
	case types&(program.Number|program.Integer) != 0 && isNumber(value):
		return json.Number(value)
	case types&program.Array != 0 && all != nil:
		var items []program.ID
		for _, r := range p.rules(ids) {
			if r.Keyword == "prefixItems" || r.Keyword == "additionalItems" {
				items = append(items, r.Schema)
			}
		}
		converted := make([]any, len(all))
		for i, item := range all {
			converted[i] = p.convert(items, item, nil) // not to an array again
		}
		return converted
	default:
		return value
	}
}

func isNumber(value string) bool {
	return value != "" && strings.Trim(value, "+-.0123456789eE") == "" && json.Valid([]byte(value))
}

// member returns the schemas for a member of the values of other schemas.
func (p *parameters) member(ids []program.ID, name string) (found []program.ID) {
	for _, r := range p.rules(ids) {
		for _, m := range r.Members {
			if m.Name == name {
				found = append(found, m.Schema)
			}
		}
	}
	return found
}

func (p *parameters) rules(ids []program.ID) (rules []program.Rule) {
	for _, id := range p.closure(ids) {
		rules = append(rules, p.program.Schemas[id].Rules...)
	}
	return rules
}

// closure adds the schemas that $ref and allOf lead to.
func (p *parameters) closure(ids []program.ID) []program.ID {
	ids = slices.Clone(ids)
	for i := 0; i < len(ids); i++ { // it grows on the way
		for _, r := range p.program.Schemas[ids[i]].Rules {
			for _, id := range r.Schemas {
				if r.Keyword == "allOf" && !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}
