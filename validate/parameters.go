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
	p.find(program.Root, func(root *program.Schema) {
		p.find(member(root, "path"), func(path *program.Schema) {
			if path.Object != nil {
				for _, m := range path.Object.Members {
					p.wildcards = append(p.wildcards, m.Name)
				}
			}
		})
	})
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

// pathValues are those of API Gateway and those of a route of ours.
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

// queryValues are those that API Gateway has read, and those that a handler
// would read from the query string itself.
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
	schema := p.first(program.Root, func(s *program.Schema) program.ID { return member(s, kind) })
	object := make(map[string]any, len(values))
	for name, value := range values {
		all := query[name]
		if all == nil {
			all = []string{value}
		}
		object[name] = p.convert(p.first(schema, func(s *program.Schema) program.ID { return member(s, name) }), value, all)
	}
	return object
}

// convert returns a value as the type that its schema asks for, where it can be
// read as that.
func (p *parameters) convert(id program.ID, value string, all []string) any {
	var types program.Types
	p.find(id, func(s *program.Schema) {
		if types == 0 {
			types = s.Types
		}
	})
	switch {
	case types&program.String != 0:
		return value
	case types&program.Boolean != 0 && (value == "true" || value == "false"):
		return value == "true"
	case types&(program.Number|program.Integer) != 0 && isNumber(value):
		return json.Number(value)
	case types&program.Array != 0:
		items := p.first(id, func(s *program.Schema) program.ID {
			if s.Array == nil {
				return 0
			}
			return s.Array.Items
		})
		converted := make([]any, len(all))
		for i, item := range all {
			converted[i] = p.convert(items, item, []string{item})
		}
		return converted
	default:
		return value
	}
}

func isNumber(value string) bool {
	return value != "" && strings.Trim(value, "+-.0123456789eE") == "" && json.Valid([]byte(value))
}

// member returns the schema that s itself sets on a member.
func member(s *program.Schema, name string) program.ID {
	if s.Object != nil {
		for _, m := range s.Object.Members {
			if m.Name == name {
				return m.Schema
			}
		}
	}
	return 0
}

// first returns the first answer that is not 0.
func (p *parameters) first(id program.ID, ask func(*program.Schema) program.ID) (found program.ID) {
	p.find(id, func(s *program.Schema) {
		if found == 0 {
			found = ask(s)
		}
	})
	return found
}

// find calls visit with a schema, then with those that its $ref and allOf lead
// to, each once.
func (p *parameters) find(id program.ID, visit func(*program.Schema)) {
	var seen []program.ID
	var walk func(id program.ID)
	walk = func(id program.ID) {
		if id == 0 || slices.Contains(seen, id) {
			return
		}
		seen = append(seen, id)
		s := &p.program.Schemas[id]
		visit(s)
		walk(s.Ref)
		for _, sub := range s.AllOf {
			walk(sub)
		}
	}
	walk(id)
}
