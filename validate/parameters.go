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
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Parameters lets a request through whose path, query and header values s
// accepts, as one object; header names are in lower case:
//
//	{"path": {"id": "o-1"}, "query": {"limit": 20}, "header": {"x-tenant": "t-7"}}
//
// A place is "/query/limit". All three members are always there.
//
// The values are strings. One becomes what the schema of its parameter asks
// for, where that does not allow a string: a number or an integer when it is
// written as JSON has it (so 0x10, +1 and an empty value stay strings and
// fail), a boolean when it is true or false, and an array of all values of that
// name in the query. The type is looked for under properties, through $ref and
// allOf; with another library's schema all values stay strings.
//
// A parameter that is there several times and is not an array has its values
// joined by commas, as the gateway gives them to the handler. A query that
// cannot be read as a whole is refused with code malformed_query.
//
// The wildcards of [httpapi.Routes] are path values as well: those that s names
// under properties or required. Others, as additionalProperties would judge
// them, and those of any schema of another library, are not there.
func Parameters(s Schema, opts ...Option) guard.Middleware {
	p := &parameters{checker: newChecker("Parameters", s, opts)}
	if p.compiled != nil {
		p.pathNames = memberNames(p.compiled, "path")
	}
	return checking("validate.Parameters", func(ctx context.Context, payload []byte) error {
		req, err := guard.EventOf(ctx, payload).HTTP()
		if err != nil {
			return err
		}
		all, err := p.of(ctx, req)
		if err != nil {
			return err
		}
		return p.check(all)
	})
}

type parameters struct {
	*checker
	pathNames map[string]bool // that the schema knows
}

func (p *parameters) of(ctx context.Context, req *events.APIGatewayV2HTTPRequest) (map[string]any, error) {
	query, err := url.ParseQuery(req.RawQueryString)
	if err != nil {
		return nil, guard.Errorf(guard.Invalid, "malformed_query", "The query string cannot be read.")
	}
	return map[string]any{
		"path":   p.group("path", p.pathValues(ctx, req), nil),
		"query":  p.group("query", queryValues(req, query), query),
		"header": p.group("header", fieldlines.Map(fieldlines.Lines(req.Headers)), nil),
	}, nil
}

// pathValues adds what a route of ours has matched to what the gateway has.
func (p *parameters) pathValues(ctx context.Context, req *events.APIGatewayV2HTTPRequest) map[string]string {
	values := maps.Clone(req.PathParameters)
	if values == nil {
		values = map[string]string{}
	}
	routed, ok := httpapi.RequestFrom(ctx)
	if !ok {
		return values
	}
	for name := range p.pathNames {
		if value := routed.PathValue(name); value != "" {
			values[name] = value
		}
	}
	return values
}

// queryValues adds what a handler reads in the query itself to what the gateway
// has read in it.
func queryValues(req *events.APIGatewayV2HTTPRequest, query url.Values) map[string]string {
	values := make(map[string]string, len(query))
	for name, every := range query {
		values[name] = strings.Join(every, ",")
	}
	maps.Copy(values, req.QueryStringParameters)
	return values
}

// memberNames are those that the schemas of a member of s know.
func memberNames(s *jsonschema.Schema, member string) map[string]bool {
	names := map[string]bool{}
	for _, outer := range newGraph(s).closureOf(s) {
		group := outer.Properties[member]
		if group == nil {
			continue
		}
		for _, inner := range newGraph(group).closureOf(group) {
			for name := range inner.Properties {
				names[name] = true
			}
			for _, name := range inner.Required {
				names[name] = true
			}
		}
	}
	return names
}

// group makes the object of one kind of parameters. all has every value of a
// name, where that is known.
func (c *checker) group(kind string, values map[string]string, all url.Values) map[string]any {
	group := property(c.compiled, kind)
	object := make(map[string]any, len(values))
	for name, value := range values {
		every := all[name]
		if every == nil {
			every = []string{value}
		}
		object[name] = typed(property(group, name), value, every)
	}
	return object
}

// typed gives a value the type that s asks for, where it can have that.
func typed(s *jsonschema.Schema, value string, every []string) any {
	asked := types(s, maxRefs)
	if slices.Contains(asked, "string") {
		return value
	}
	for _, t := range asked {
		switch t {
		case "array":
			items := make([]any, len(every))
			for i, item := range every {
				items[i] = typed(itemsOf(s, maxRefs), item, []string{item})
			}
			return items
		case "boolean":
			if value == "true" || value == "false" {
				return value == "true"
			}
		case "number", "integer":
			if isNumber(value) {
				return json.Number(value)
			}
		}
	}
	return value
}

func isNumber(value string) bool {
	return value != "" && (value[0] == '-' || '0' <= value[0] && value[0] <= '9') && json.Valid([]byte(value)) && value == strings.TrimSpace(value)
}

// maxRefs is how many references are followed to find a type.
const maxRefs = 8

// property gives the schema of a member, nil when there is none.
func property(s *jsonschema.Schema, name string) *jsonschema.Schema {
	return follow(s, maxRefs, func(s *jsonschema.Schema) *jsonschema.Schema { return s.Properties[name] })
}

func itemsOf(s *jsonschema.Schema, refs int) *jsonschema.Schema {
	return follow(s, refs, func(s *jsonschema.Schema) *jsonschema.Schema {
		if items, ok := s.Items.(*jsonschema.Schema); ok {
			return items
		}
		return s.Items2020
	})
}

func types(s *jsonschema.Schema, refs int) []string {
	found := follow(s, refs, func(s *jsonschema.Schema) *jsonschema.Schema {
		if len(s.Types) > 0 {
			return s
		}
		return nil
	})
	if found == nil {
		return nil
	}
	return found.Types
}

// follow asks s, then what it refers to and is all of, for the first answer.
func follow(s *jsonschema.Schema, refs int, ask func(*jsonschema.Schema) *jsonschema.Schema) *jsonschema.Schema {
	if s == nil || refs == 0 {
		return nil
	}
	if found := ask(s); found != nil {
		return found
	}
	if found := follow(s.Ref, refs-1, ask); found != nil {
		return found
	}
	for _, sub := range s.AllOf {
		if found := follow(sub, refs-1, ask); found != nil {
			return found
		}
	}
	return nil
}
