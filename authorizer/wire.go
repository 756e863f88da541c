package authorizer

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
)

// wire is an authorizer event of any shape, or a request as a handler is given
// it. It has every member that AWS sends,
// so that an event is read once, and one that it does not have is compared with
// those that it has.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
// https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
type wire struct {
	Version               string       `json:"version"`
	Type                  string       `json:"type"`
	RouteARN              string       `json:"routeArn"`
	MethodARN             string       `json:"methodArn"`
	IdentitySource        sources      `json:"identitySource"`
	AuthorizationToken    *string      `json:"authorizationToken"`
	RouteKey              string       `json:"routeKey"`
	RawPath               string       `json:"rawPath"`
	RawQueryString        string       `json:"rawQueryString"`
	Cookies               list         `json:"cookies"`
	Headers               fields       `json:"headers"`
	MultiValueHeaders     lists        `json:"multiValueHeaders"`
	QueryStringParameters fields       `json:"queryStringParameters"`
	MultiValueQuery       lists        `json:"multiValueQueryStringParameters"`
	PathParameters        fields       `json:"pathParameters"`
	StageVariables        fields       `json:"stageVariables"`
	Resource              string       `json:"resource"`
	Path                  string       `json:"path"`
	HTTPMethod            string       `json:"httpMethod"`
	RequestHeaders        fields       `json:"requestHeaders"`
	RequestContext        *wireContext `json:"requestContext"`
}

type wireContext struct {
	AccountID string `json:"accountId"`
	APIID     string `json:"apiId"`
	Stage     string `json:"stage"`
	RequestID string `json:"requestId"`
	RouteKey  string `json:"routeKey"`

	HTTP *struct {
		Method    string `json:"method"`
		Path      string `json:"path"`
		Protocol  string `json:"protocol"`
		SourceIP  string `json:"sourceIp"`
		UserAgent string `json:"userAgent"`
	} `json:"http"`
	Authentication *struct {
		ClientCert *wireCertificate `json:"clientCert"`
	} `json:"authentication"`
	Identity *wireIdentity `json:"identity"`

	DomainName        string  `json:"domainName"`
	DomainPrefix      string  `json:"domainPrefix"`
	Time              ignored `json:"time"`
	TimeEpoch         ignored `json:"timeEpoch"`
	RequestTime       ignored `json:"requestTime"`
	RequestTimeEpoch  ignored `json:"requestTimeEpoch"`
	ExtendedRequestID ignored `json:"extendedRequestId"`
	ResourceID        string  `json:"resourceId"`
	ResourcePath      ignored `json:"resourcePath"`
	DeploymentID      ignored `json:"deploymentId"`
	HTTPMethod        ignored `json:"httpMethod"`
	Path              string  `json:"path"`
	Protocol          string  `json:"protocol"`
	ResourceARN       ignored `json:"resourceArn"`

	Authorizer jsontext.Value `json:"authorizer"`

	EventType        string  `json:"eventType"`
	ConnectionID     string  `json:"connectionId"`
	ConnectedAt      ignored `json:"connectedAt"`
	MessageDirection ignored `json:"messageDirection"`
	MessageID        ignored `json:"messageId"`

	QueryString   string         `json:"queryString"`
	OperationName string         `json:"operationName"`
	Variables     jsontext.Value `json:"variables"`
}

type wireIdentity struct {
	SourceIP   string           `json:"sourceIp"`
	UserAgent  string           `json:"userAgent"`
	ClientCert *wireCertificate `json:"clientCert"`

	AccessKey                     ignored `json:"accessKey"`
	AccountID                     ignored `json:"accountId"`
	APIKey                        ignored `json:"apiKey"`
	APIKeyID                      ignored `json:"apiKeyId"`
	Caller                        ignored `json:"caller"`
	CognitoAuthenticationProvider ignored `json:"cognitoAuthenticationProvider"`
	CognitoAuthenticationType     ignored `json:"cognitoAuthenticationType"`
	CognitoIdentityID             ignored `json:"cognitoIdentityId"`
	CognitoIdentityPoolID         ignored `json:"cognitoIdentityPoolId"`
	PrincipalOrgID                ignored `json:"principalOrgId"`
	User                          ignored `json:"user"`
	UserARN                       ignored `json:"userArn"`
	VPCID                         ignored `json:"vpcId"`
	VPCEndpointID                 ignored `json:"vpceId"`
}

type wireCertificate struct {
	PEM          string `json:"clientCertPem"`
	SubjectDN    string `json:"subjectDN"`
	IssuerDN     string `json:"issuerDN"`
	SerialNumber string `json:"serialNumber"`
	Validity     *struct {
		NotBefore string `json:"notBefore"`
		NotAfter  string `json:"notAfter"`
	} `json:"validity"`
}

// ignored is a value that is known and not needed.
type ignored struct{}

func (*ignored) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return dec.SkipValue() }

// field is one member of an object of strings.
type field struct {
	name, value string
	several     bool // values, joined
}

// fields is an object of strings in the order of the event; null is none.
type fields []field

func (f *fields) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return members(dec, func(name string) error {
		value, err := readText(dec)
		*f = append(*f, field{name: name, value: value})
		return err
	})
}

// lists is an object of arrays of strings, each element a field of its own.
type lists fields

func (l *lists) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return members(dec, func(name string) error {
		var values list
		err := values.UnmarshalJSONFrom(dec)
		for _, value := range values {
			*l = append(*l, field{name: name, value: value})
		}
		return err
	})
}

// members goes through an object and leaves reading each value to read.
func members(dec *jsontext.Decoder, read func(name string) error) error {
	begin, err := dec.ReadToken()
	if err != nil || begin.Kind() == jsontext.KindNull {
		return err
	}
	if begin.Kind() != jsontext.KindBeginObject {
		return errors.New("not an object")
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := read(name.String()); err != nil {
			return err
		}
	}
	_, err = dec.ReadToken()
	return err
}

// readText reads a string, or the null that stands for an empty one.
func readText(dec *jsontext.Decoder) (string, error) {
	if kind := dec.PeekKind(); kind != jsontext.KindString && kind != jsontext.KindNull {
		if err := dec.SkipValue(); err != nil { // what is no JSON at all comes first
			return "", err
		}
		return "", errors.New("not a string")
	}
	value, err := dec.ReadToken()
	if err != nil || value.Kind() == jsontext.KindNull {
		return "", err
	}
	return value.String(), nil
}

// list is an array of strings; null is none.
type list []string

func (l *list) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var values []string
	err := json.UnmarshalDecode(dec, &values)
	*l = values
	return err
}

// sources are the values of the identity sources: apart in format 2.0, joined
// by commas in 1.0.
type sources struct {
	apart  []string
	joined string
}

func (s *sources) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	if dec.PeekKind() == jsontext.KindString {
		s.joined, err = readText(dec)
		return err
	}
	return (*list)(&s.apart).UnmarshalJSONFrom(dec)
}

// get gives the value of a name, which is exact.
func (f fields) get(name string) string { return f.find(name).value }

func (f fields) find(name string) field {
	for i := range f {
		if f[i].name == name {
			return f[i]
		}
	}
	return field{}
}

// headers gives each header once: those that were sent in several lines, or
// spelled in several ways, are joined as a handler has them from its request.
func (f fields) headers() fields {
	lines := make([]fieldlines.Line, len(f))
	for i, line := range f {
		lines[i] = fieldlines.Line{Name: line.name, Value: line.value}
	}
	combined := fieldlines.Combine(lines)
	out := make(fields, len(combined), len(combined)+1)
	for i, h := range combined {
		out[i] = field{h.Name, h.Value, h.Several}
	}
	return out
}

// withCookies adds the cookies that a gateway has taken out of the headers.
// They come before those that it has left there.
func (f fields) withCookies(cookies []string) fields {
	value := strings.Join(cookies, "; ")
	i := slices.IndexFunc(f, func(h field) bool { return h.name == "cookie" })
	switch {
	case value == "" || i >= 0 && f[i].value == value:
		return f
	case i < 0:
		return append(f, field{name: "cookie", value: value})
	default:
		f[i] = field{"cookie", value + "; " + f[i].value, true}
		return f
	}
}

// values gives each name of a query once, its values joined by a comma.
func (f fields) values() fields {
	out := make(fields, 0, len(f))
next:
	for _, v := range f {
		for i := range out {
			if out[i].name == v.name {
				out[i].value += "," + v.value
				out[i].several = true
				continue next
			}
		}
		out = append(out, v)
	}
	return out
}
