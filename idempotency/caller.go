package idempotency

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// errNoPrincipal is an error of configuration, and not of the caller's.
var errNoPrincipal = errors.New("idempotency: the authorizer's context tells no principal (sub, principalId, userArn): give a Scope")

// appendCaller appends who sent the request, as the gateway has authenticated
// it: the subject of a token, the principal of a Lambda authorizer, an IAM or
// Cognito identity, a client certificate, an API key. A request of which the
// gateway tells none of these has no caller. A context that tells something,
// but not who, is an error: callers that the handler can tell apart would have
// one name space.
func appendCaller(b []byte, ev *guard.Event) ([]byte, error) {
	req, err := ev.HTTP()
	if err != nil {
		return nil, err
	}
	if a := req.RequestContext.Authorizer; a != nil {
		if b, known, err := appendAuthorizer(b, a); known || err != nil {
			return b, err
		}
	}
	if subject := req.RequestContext.Authentication.ClientCert.SubjectDN; subject != "" {
		b = appendPart(appendPart(b, "certificate"), req.RequestContext.Authentication.ClientCert.IssuerDN)
		return appendPart(b, subject), nil
	}
	if req.Version == "1.0" {
		return appendIdentity(b, ev.Raw()), nil
	}
	return appendPart(b, "none"), nil
}

func appendAuthorizer(b []byte, a *events.APIGatewayV2HTTPRequestContextAuthorizerDescription) (_ []byte, known bool, err error) {
	switch {
	case a.JWT != nil:
		claims := a.JWT.Claims
		subject := claims["sub"]
		if subject == "" {
			subject = claims["client_id"]
		}
		if subject == "" {
			return nil, false, errNoPrincipal
		}
		b = appendPart(appendPart(b, "jwt"), claims["iss"])
		return appendPart(b, subject), true, nil
	case a.IAM != nil:
		// All that sign in through one identity pool have the ARN of its role.
		id := a.IAM.CognitoIdentity.IdentityID
		who := a.IAM.UserARN
		if who == "" {
			who = a.IAM.CallerID
		}
		if who == "" && id == "" {
			return nil, false, errNoPrincipal
		}
		b = appendPart(appendPart(b, "iam"), who)
		return appendPart(b, id), true, nil
	case len(a.Lambda) > 0:
		for _, name := range [...]string{"principalId", "sub"} {
			if id := a.Lambda[name]; id != nil && id != "" {
				return appendPart(appendPart(b, "lambda"), fmt.Sprint(id)), true, nil
			}
		}
		return nil, false, errNoPrincipal
	default:
		return b, false, nil
	}
}

// appendIdentity appends what a REST API tells of a caller beside what an
// authorizer does. The event has been read strictly before.
func appendIdentity(b, event []byte) []byte {
	var userARN, identityID, subject, issuer, apiKey []byte
	for name, value := range jsonpeek.Members(jsonpeek.Lookup(event, "requestContext", "identity")) {
		switch string(name) {
		case "userArn":
			userARN = jsonpeek.Text(value)
		case "cognitoIdentityId":
			identityID = jsonpeek.Text(value)
		case "clientCert":
			subject = jsonpeek.Text(jsonpeek.Lookup(value, "subjectDN"))
			issuer = jsonpeek.Text(jsonpeek.Lookup(value, "issuerDN"))
		case "apiKeyId":
			apiKey = jsonpeek.Text(value)
		}
	}
	switch {
	case userARN != nil || identityID != nil:
		return appendPart(appendPart(appendPart(b, "identity"), userARN), identityID)
	case subject != nil:
		return appendPart(appendPart(appendPart(b, "certificate"), issuer), subject)
	case apiKey != nil:
		return appendPart(appendPart(b, "key"), apiKey)
	default:
		return appendPart(b, "none")
	}
}
