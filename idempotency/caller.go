package idempotency

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// errNoPrincipal is an error of configuration, and not of the caller's.
var errNoPrincipal = errors.New("idempotency: the authorizer's context tells no principal (sub, principalId, userArn, principal): give a Scope")

// appendCaller appends who sent the request, as the gateway has authenticated
// it: the subject of a token, the principal of a Lambda authorizer, an IAM or
// Cognito identity, a client certificate, an API key. A request of which the
// gateway tells none of these has no caller. A context that tells something,
// but not who, is an error: callers that the handler can tell apart would have
// one name space.
func appendCaller(b []byte, ev *guard.Event) ([]byte, error) {
	req, err := ev.Request() // strict, so that each member below is there once
	if err != nil {
		return nil, err
	}
	context := start(ev.Raw(), "requestContext")
	if ev.Trigger() == guard.VPCLattice {
		return appendSigner(b, start(context, "identity"))
	}
	principal := principal2
	if req.Version == "1.0" {
		principal = principal1
	}
	b, known, err := principal(b, start(context, "authorizer"))
	if known || err != nil {
		return b, err
	}
	return appendUnauthorized(b, context), nil
}

// principal2 appends what the authorizer of a request of format 2.0 tells, and
// reports whether there was one.
func principal2(b, authorizer []byte) (_ []byte, known bool, err error) {
	for kind, value := range jsonpeek.Starts(authorizer) {
		switch string(kind) {
		case "jwt":
			return appendSubject(b, start(value, "claims"))
		case "lambda":
			if given(value) {
				return appendNamed(b, value)
			}
		case "iam":
			// All that sign in through one identity pool have the ARN of its role.
			id := textAt(start(value, "cognitoIdentity"), "identityId")
			who := textAt(value, "userArn")
			if who == nil {
				who = textAt(value, "callerId")
			}
			switch {
			case who != nil || id != nil:
				return appendParts(b, "iam", who, id), true, nil
			case given(value):
				return nil, false, errNoPrincipal
			}
		}
	}
	return b, false, nil
}

// principal1 is principal2 for format 1.0, where the context of a Lambda
// authorizer or the claims of a token stand in the authorizer itself.
func principal1(b, authorizer []byte) (_ []byte, known bool, err error) {
	if claims := start(authorizer, "claims"); given(claims) {
		return appendSubject(b, claims)
	}
	for name := range jsonpeek.Starts(authorizer) {
		if string(name) != "integrationLatency" {
			return appendNamed(b, authorizer)
		}
	}
	return b, false, nil
}

// appendSigner appends who has signed a request to VPC Lattice, if it was.
func appendSigner(b, identity []byte) ([]byte, error) {
	who, signed := textAt(identity, "principal"), string(textAt(identity, "type")) == "AWS_IAM"
	switch {
	case signed && who != nil:
		return appendParts(b, "iam", who, nil), nil
	case signed || who != nil:
		return nil, errNoPrincipal
	default:
		return appendParts(b, "none"), nil
	}
}

// appendSubject appends who a token was issued to, by whom.
func appendSubject(b, claims []byte) ([]byte, bool, error) {
	var issuer, subject, client []byte
	for name, rest := range jsonpeek.Starts(claims) {
		switch string(name) {
		case "iss":
			issuer = text(rest)
		case "sub":
			subject = text(rest)
		case "client_id":
			client = text(rest)
		}
	}
	if subject == nil {
		subject = client
	}
	if subject == nil {
		return nil, false, errNoPrincipal
	}
	return appendParts(b, "jwt", issuer, subject), true, nil
}

// appendPrincipal appends who a layer further out has found out: the same as
// what a Lambda authorizer tells, so that a function that begins to read that
// through such a layer keeps its keys.
func appendPrincipal(b []byte, who string) []byte {
	return appendParts(b, "lambda", []byte(who))
}

// appendNamed appends the principal that a Lambda authorizer gives. Some give
// one to all, "user", and tell in the context who it is.
func appendNamed(b, context []byte) ([]byte, bool, error) {
	switch who, subject := textAt(context, "principalId"), textAt(context, "sub"); {
	case who == nil && subject == nil:
		return nil, false, errNoPrincipal
	case who == nil:
		return appendParts(b, "lambda", subject), true, nil
	case subject == nil || bytes.Equal(who, subject):
		return appendParts(b, "lambda", who), true, nil
	default:
		return appendParts(b, "lambda for", who, subject), true, nil
	}
}

// appendUnauthorized appends who sends what no authorizer has seen.
func appendUnauthorized(b, context []byte) []byte {
	identity := start(context, "identity") // of format 1.0
	certificate := start(identity, "clientCert")
	if certificate == nil {
		certificate = start(start(context, "authentication"), "clientCert")
	}
	user, id := textAt(identity, "userArn"), textAt(identity, "cognitoIdentityId")
	subject, apiKey := textAt(certificate, "subjectDN"), textAt(identity, "apiKeyId")
	switch {
	case user != nil || id != nil:
		return appendParts(b, "iam", user, id)
	case subject != nil:
		return appendParts(b, "certificate", textAt(certificate, "issuerDN"), subject)
	case apiKey != nil:
		return appendParts(b, "key", apiKey)
	default:
		return appendParts(b, "none")
	}
}

func appendParts(b []byte, kind string, parts ...[]byte) []byte {
	b = appendPart(b, kind)
	for _, part := range parts {
		b = appendPart(b, part)
	}
	return b
}

// start gives what of an object stands from the value of a member on, nil where
// there is none. It does not look where the value ends.
func start(object []byte, name string) []byte {
	for n, rest := range jsonpeek.Starts(object) {
		if string(n) == name {
			return rest
		}
	}
	return nil
}

// given reports whether an object tells anything.
func given(object []byte) bool {
	for range jsonpeek.Starts(object) {
		return true
	}
	return false
}

// textAt gives a member that is a string, or the text of a number or a boolean,
// nil where there is none and where it is empty.
func textAt(object []byte, name string) []byte { return text(start(object, name)) }

func text(value []byte) []byte {
	if len(value) == 0 {
		return nil
	}
	value = jsonpeek.Value(value)
	switch value[0] {
	case '"':
		value = unquoted(value)
	case '{', '[', 'n':
		return nil
	}
	if len(value) == 0 {
		return nil
	}
	return value
}

// unquoted is what a string stands for that has been checked to be one.
func unquoted(value []byte) []byte {
	if bytes.IndexByte(value, '\\') < 0 {
		return jsonpeek.Text(value)
	}
	plain, _ := jsontext.AppendUnquote(nil, value)
	return plain
}
