package request

// Of an authorizer's event.

// Kind returns "TOKEN" or "REQUEST", "" of AppSync.
func (r *Request) Kind() string { return r.text(kind) }

// ARN returns that of the call, "" of AppSync.
func (r *Request) ARN() string { return r.first(routeARN, methodARN) }

// Token returns the token that a gateway has taken out of the request; ok is
// false where the event has none.
func (r *Request) Token() (token string, ok bool) {
	return r.text(authorizationToken), r.has(authorizationToken)
}

// IdentitySources returns the values of the identity sources: apart in format
// 2.0, joined by commas to one in 1.0.
func (r *Request) IdentitySources() (all []string) {
	for _, p := range r.pairs {
		if p.of == identitySource {
			all = append(all, unquote(r.slice(p.value)))
		}
	}
	return all
}

// Resource returns the template that a REST API has found, "/orders/{id}".
func (r *Request) Resource() string { return r.text(resource) }

// ResourceID returns the resource that a REST API has found, or the route key of
// an HTTP API in format 1.0.
func (r *Request) ResourceID() string { return r.text(resourceID) }

// Connection returns the id of a WebSocket's connection, and what has happened
// to it: "CONNECT", "MESSAGE", "DISCONNECT".
func (r *Request) Connection() (id, event string) { return r.text(connectionID), r.text(eventType) }

// HasContext reports whether the event has a request context, and in it the
// http of format 2.0, the identity of 1.0.
func (r *Request) HasContext() (context, http2, identity1 bool) {
	return r.has(requestContext), r.has(http), r.has(identity)
}

// Operation returns that of a GraphQL request, as AppSync shows it an authorizer.
func (r *Request) Operation() (name, query string, variablesJSON []byte) {
	return r.text(operationName), r.text(queryString), r.value(variables)
}

// StageVariables returns the values of the stage's variables.
func (r *Request) StageVariables() (all []string) {
	for _, p := range r.pairs {
		if p.of == stageVariables {
			all = append(all, unquote(r.slice(p.value)))
		}
	}
	return all
}

// Details returns what else of the request an identity source can name.
func (r *Request) Details() []string {
	all := []string{r.Stage(), r.APIID(), r.AccountID(), r.Protocol(), r.text(domainPrefix)}
	for _, m := range []member{httpPath2, contextPath} {
		if p := r.text(m); p != r.RawPath() {
			all = append(all, p)
		}
	}
	if c := r.Certificate(); c != nil {
		all = append(all, c.SubjectDN, c.IssuerDN, c.SerialNumber, c.NotBefore, c.NotAfter)
	}
	return all
}
