package request

// ServiceARN returns the ARN of the load balancer's target group or of the Lattice
// service that has passed on the request, "" for other gateways.
//
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
func (r *Request) ServiceARN() string {
	switch r.trigger {
	case ALB:
		return Text(jsonObject(r.value(elb))["targetGroupArn"])
	case VPCLattice:
		return r.text(serviceARN)
	default:
		return ""
	}
}

// VPCEndpoint returns the id of the interface endpoint that a request to a private
// REST API came through, "" for other requests.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
func (r *Request) VPCEndpoint() string { return Text(jsonObject(r.value(identity))["vpceId"]) }
