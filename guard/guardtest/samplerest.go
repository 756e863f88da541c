package guardtest

import "github.com/lambdarmor/lambdarmor/guard"

// rest gives an event of format 1.0 the form in which a REST API sends it: no
// version, a request id that is a UUID, and an identity whose members are null
// where nobody has signed.
func (b HTTPBuilder) rest(e Event) Event {
	request, rest := e.root(), Sample(guard.REST).root()
	for _, pointer := range []string{
		"/resource", "/path", "/httpMethod",
		"/headers", "/multiValueHeaders",
		"/queryStringParameters", "/multiValueQueryStringParameters",
		"/pathParameters",
		"/requestContext/resourcePath", "/requestContext/httpMethod", "/requestContext/path",
		"/requestContext/stage", "/requestContext/domainName", "/requestContext/domainPrefix", "/requestContext/apiId",
		"/requestContext/identity/sourceIp", "/requestContext/identity/userAgent",
		"/body", "/isBase64Encoded",
	} {
		value, err := request.find(pointer)
		if err == nil {
			err = rest.put(pointer, value)
		}
		e.check("REST", pointer, err)
	}
	return e.with(rest)
}
