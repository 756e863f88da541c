package authorizer

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// The names of a grant's fields in the context of an authorizer's answer. REST and
// WebSocket APIs add the principal themselves. The scope follows RFC 8693, section
// 4.2.
const (
	namePrincipal = "principalId"
	nameScope     = "scope"
	nameGroups    = "groups"
	nameExpires   = "expires"
)

// How large a context may be, in bytes. The gateways document no limit.
//
// https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
const (
	maxResolverContext = 5 << 20
	maxContext         = 64 << 10
)

// encode returns the context of a valid grant as a JSON object.
func (g *Grant) encode(f reads.Format) (json.RawMessage, error) {
	values := make(map[string]any, len(g.Context)+4)
	maps.Copy(values, g.Context)
	if f == reads.HTTP2 || f == reads.HTTP1 || f == reads.AppSync {
		values[namePrincipal] = g.Principal
	}
	if len(g.Scopes) > 0 {
		values[nameScope] = strings.Join(g.Scopes, " ")
	}
	if len(g.Groups) > 0 {
		escaped := make([]string, len(g.Groups))
		for i, group := range g.Groups {
			escaped[i] = url.PathEscape(group)
		}
		values[nameGroups] = strings.Join(escaped, " ")
	}
	if !g.Expires.IsZero() {
		values[nameExpires] = g.Expires.Unix()
	}
	limit := maxContext
	if f == reads.AppSync { // it takes strings alone
		limit = maxResolverContext
		for name, value := range values {
			values[name] = fmt.Sprint(value)
		}
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	if len(text) > limit {
		return nil, fmt.Errorf("authorizer: the context has more than %d bytes", limit)
	}
	return text, nil
}

// decodeGrant reads a grant from the context that the gateway passes on. The gateway
// may have turned any value into a string.
func decodeGrant(values map[string]any) (*Grant, error) {
	principal, _ := values[namePrincipal].(string) // a number may have been rounded
	if principal == "" {
		return nil, reason.New("authorizer: the gateway's authorizer has set no principal")
	}
	g := &Grant{Principal: principal, Scopes: strings.Fields(request.Text(values[nameScope])), Context: others(values)}
	for _, escaped := range strings.Fields(request.Text(values[nameGroups])) {
		group, err := url.PathUnescape(escaped)
		if err != nil {
			return nil, reason.New("authorizer: the groups of the gateway's authorizer are malformed")
		}
		g.Groups = append(g.Groups, group)
	}
	if value, ok := values[nameExpires]; ok {
		seconds, err := strconv.ParseFloat(request.Text(value), 64)
		if err != nil || !(math.Abs(seconds) <= maxInt) { // nor NaN
			return nil, reason.New("authorizer: the expiry of the gateway's authorizer is malformed")
		}
		g.Expires = time.Unix(int64(seconds), 0)
	}
	return g, nil
}

// others returns the values whose names are not reserved, with numbers as float64.
func others(values map[string]any) map[string]any {
	var out map[string]any
	for name, value := range values {
		if reserved(name) {
			continue
		}
		if out == nil {
			out = make(map[string]any, len(values))
		}
		if n, ok := value.(json.Number); ok {
			value, _ = n.Float64()
		}
		out[name] = value
	}
	return out
}
