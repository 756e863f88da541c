package request

// member is a member of an event that somebody asks about. They stand level by
// level, so that those of one object are neighbours.
type member uint8

const (
	noMember member = iota

	// Of the event.
	version
	kind
	methodARN
	routeARN
	identitySource
	authorizationToken
	routeKey
	rawPath
	rawQueryString
	cookies
	headers
	multiValueHeaders
	query
	multiValueQuery
	pathParameters
	stageVariables
	resource
	path
	httpMethod
	method
	requestHeaders
	requestContext
	body
	isBase64Encoded
	records
	source
	detailType
	eventSource
	deliveryStreamARN
	awsLogs
	triggerSource
	identityPoolID
	identityOfCaller
	info
	arguments
	requestOfResolver
	stash

	// Of a resolver's request.
	resolverHeaders

	// Of the request context.
	accountID
	apiID
	stage
	requestID
	contextRouteKey
	http
	authentication
	identity
	domainName
	domainPrefix
	timeText
	timeEpoch
	requestTime
	requestTimeEpoch
	resourceID
	contextPath
	protocol
	authorizerContext
	eventType
	connectionID
	queryString
	operationName
	variables
	elb
	serviceARN

	// Of its http.
	httpMethod2
	httpPath2
	httpProtocol2
	httpSourceIP2
	httpUserAgent2

	// Of its identity.
	identitySourceIP
	identityUserAgent
	identityClientCert
	accessKey
	identityAccountID
	apiKeyID
	caller
	cognitoIdentityID
	cognitoPoolID
	principalOrgID
	principalOrgIDOfLattice
	user
	userARN
	principalType
	principal

	// Of its authentication.
	clientCert

	// Of a client's certificate, wherever it stands.
	certificatePEM
	certificateSubject
	certificateIssuer
	certificateSerial
	certificateValidity

	// Of its validity.
	notBefore
	notAfter

	numMembers
)

// level is an object whose members are looked at.
type level uint8

const (
	top level = iota
	ofResolver
	ofContext
	ofHTTP
	ofIdentity
	ofAuthentication
	ofCertificate
	ofValidity
)

// between returns the first member of a level and the first that is beyond it.
func (l level) between() (from, to member) {
	bounds := [...]member{version, resolverHeaders, accountID, httpMethod2, identitySourceIP, clientCert, certificatePEM, notBefore, numMembers}
	return bounds[l], bounds[l+1]
}

// form is what a value has to be.
type form uint8

const (
	anything form = iota
	text          // a string, or the null that stands for an empty one
	flag          // true or false
	object        // whose members are looked at, or null
	lines         // an object of strings, or of lists of strings; or null
	list          // of strings, or one string; or null
)

// expected says how a member is spelled and what its value has to be.
type expected struct {
	name string
	form form
	in   level // of an object
}

var members = [numMembers]expected{
	version:            {name: "version", form: text},
	kind:               {name: "type", form: text},
	methodARN:          {name: "methodArn", form: text},
	routeARN:           {name: "routeArn", form: text},
	identitySource:     {name: "identitySource", form: list},
	authorizationToken: {name: "authorizationToken", form: text},
	routeKey:           {name: "routeKey", form: text},
	rawPath:            {name: "rawPath", form: text},
	rawQueryString:     {name: "rawQueryString", form: text},
	cookies:            {name: "cookies", form: list},
	headers:            {name: "headers", form: lines},
	multiValueHeaders:  {name: "multiValueHeaders", form: lines},
	query:              {name: "queryStringParameters", form: lines},
	multiValueQuery:    {name: "multiValueQueryStringParameters", form: lines},
	pathParameters:     {name: "pathParameters", form: lines},
	stageVariables:     {name: "stageVariables", form: lines},
	resource:           {name: "resource", form: text},
	path:               {name: "path", form: text},
	httpMethod:         {name: "httpMethod", form: text},
	method:             {name: "method", form: text},
	requestHeaders:     {name: "requestHeaders", form: lines},
	requestContext:     {name: "requestContext", form: object, in: ofContext},
	body:               {name: "body", form: text},
	isBase64Encoded:    {name: "isBase64Encoded", form: flag},
	records:            {name: "Records"},
	source:             {name: "source"},
	detailType:         {name: "detail-type"},
	eventSource:        {name: "eventSource"},
	deliveryStreamARN:  {name: "deliveryStreamArn"},
	awsLogs:            {name: "awslogs"},
	triggerSource:      {name: "triggerSource"},
	identityPoolID:     {name: "identityPoolId"},
	identityOfCaller:   {name: "identity"},
	info:               {name: "info"},
	arguments:          {name: "arguments"},
	requestOfResolver:  {name: "request", form: object, in: ofResolver},
	stash:              {name: "stash"},

	resolverHeaders: {name: "headers", form: lines},

	accountID:         {name: "accountId", form: text},
	apiID:             {name: "apiId", form: text},
	stage:             {name: "stage", form: text},
	requestID:         {name: "requestId", form: text},
	contextRouteKey:   {name: "routeKey", form: text},
	http:              {name: "http", form: object, in: ofHTTP},
	authentication:    {name: "authentication", form: object, in: ofAuthentication},
	identity:          {name: "identity", form: object, in: ofIdentity},
	domainName:        {name: "domainName", form: text},
	domainPrefix:      {name: "domainPrefix", form: text},
	timeText:          {name: "time"},
	timeEpoch:         {name: "timeEpoch"},
	requestTime:       {name: "requestTime"},
	requestTimeEpoch:  {name: "requestTimeEpoch"},
	resourceID:        {name: "resourceId", form: text},
	contextPath:       {name: "path", form: text},
	protocol:          {name: "protocol", form: text},
	authorizerContext: {name: "authorizer"},
	eventType:         {name: "eventType", form: text},
	connectionID:      {name: "connectionId", form: text},
	queryString:       {name: "queryString", form: text},
	operationName:     {name: "operationName", form: text},
	variables:         {name: "variables"},
	elb:               {name: "elb"},
	serviceARN:        {name: "serviceArn", form: text},

	httpMethod2:    {name: "method", form: text},
	httpPath2:      {name: "path", form: text},
	httpProtocol2:  {name: "protocol", form: text},
	httpSourceIP2:  {name: "sourceIp", form: text},
	httpUserAgent2: {name: "userAgent", form: text},

	identitySourceIP:        {name: "sourceIp", form: text},
	identityUserAgent:       {name: "userAgent", form: text},
	identityClientCert:      {name: "clientCert", form: object, in: ofCertificate},
	accessKey:               {name: "accessKey", form: text},
	identityAccountID:       {name: "accountId", form: text},
	apiKeyID:                {name: "apiKeyId", form: text},
	caller:                  {name: "caller", form: text},
	cognitoIdentityID:       {name: "cognitoIdentityId", form: text},
	cognitoPoolID:           {name: "cognitoIdentityPoolId", form: text},
	principalOrgID:          {name: "principalOrgId", form: text},
	principalOrgIDOfLattice: {name: "principalOrgID", form: text}, // AWS documents both spellings
	user:                    {name: "user", form: text},
	userARN:                 {name: "userArn", form: text},
	principalType:           {name: "type", form: text},
	principal:               {name: "principal", form: text},

	clientCert: {name: "clientCert", form: object, in: ofCertificate},

	certificatePEM:      {name: "clientCertPem", form: text},
	certificateSubject:  {name: "subjectDN", form: text},
	certificateIssuer:   {name: "issuerDN", form: text},
	certificateSerial:   {name: "serialNumber", form: text},
	certificateValidity: {name: "validity", form: object, in: ofValidity},

	notBefore: {name: "notBefore", form: text},
	notAfter:  {name: "notAfter", form: text},
}
