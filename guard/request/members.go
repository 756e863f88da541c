package request

// member is a member of an event that this package reads. Members of one object are
// neighbours.
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
	authentication
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
	principalType
	principal

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
)

// bounds returns the first member of a level and the first beyond it.
func (l level) bounds() (from, to member) {
	all := [...]member{version, resolverHeaders, accountID, httpMethod2, identitySourceIP, numMembers}
	return all[l], all[l+1]
}

// form is the required type of a value.
type form uint8

const (
	anything form = iota
	text          // a string, or the null that stands for an empty one
	flag          // true or false
	object        // whose members are looked at, or null
	lines         // an object of strings, or of lists of strings; or null
	list          // of strings, or one string; or null
)

func (f form) String() string {
	return [...]string{"anything", "a string", "a boolean", "an object", "an object", "an array"}[f]
}

// expected is the spelling of a member and the required type of its value.
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
	authentication:    {name: "authentication"},
	elb:               {name: "elb"},
	serviceARN:        {name: "serviceArn", form: text},

	httpMethod2:    {name: "method", form: text},
	httpPath2:      {name: "path", form: text},
	httpProtocol2:  {name: "protocol", form: text},
	httpSourceIP2:  {name: "sourceIp", form: text},
	httpUserAgent2: {name: "userAgent", form: text},

	identitySourceIP:  {name: "sourceIp", form: text},
	identityUserAgent: {name: "userAgent", form: text},
	principalType:     {name: "type", form: text},
	principal:         {name: "principal", form: text},
}
