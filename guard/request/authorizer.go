package request

// What the event of an authorizer has beside the request.

// Kind returns "TOKEN" or "REQUEST", "" for AppSync.
func (r *Request) Kind() string { return r.text(kind) }

// ARN returns the ARN of the call, "" for AppSync.
func (r *Request) ARN() string { return r.first(routeARN, methodARN) }

// Token returns the token that a gateway has taken out of the request. ok is
// false if the event has none.
func (r *Request) Token() (token string, ok bool) {
	return r.text(authorizationToken), r.has(authorizationToken)
}

// IdentitySources returns the values of the identity sources: one by one in
// format 2.0, joined by commas to one in 1.0.
func (r *Request) IdentitySources() []string { return r.values(identitySource) }

// Resource returns the template that a REST API has found, "/orders/{id}".
func (r *Request) Resource() string { return r.text(resource) }

// ResourceID returns the resource that a REST API has found, or the route key of
// an HTTP API in format 1.0.
func (r *Request) ResourceID() string { return r.text(resourceID) }

// Connection returns the id of a WebSocket's connection, and what happened to
// it: "CONNECT", "MESSAGE", "DISCONNECT".
func (r *Request) Connection() (id, event string) { return r.text(connectionID), r.text(eventType) }

// HasContext reports whether the event has a request context, and in it the http
// of format 2.0, the identity of 1.0.
func (r *Request) HasContext() (context, http2, identity1 bool) {
	return r.has(requestContext), r.has(http), r.has(identity)
}

// Operation returns the GraphQL operation that AppSync wants a decision on.
func (r *Request) Operation() (name, query string, variablesJSON []byte) {
	return r.text(operationName), r.text(queryString), r.value(variables)
}

// StageVariables returns the values of the stage's variables.
func (r *Request) StageVariables() []string { return r.values(stageVariables) }

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
