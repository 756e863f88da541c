// Package httpapi serves HTTP APIs, REST APIs, function URLs, load balancers and
// VPC Lattice with plain functions, or with any net/http handler.
//
// A function takes the decoded body and returns the value to encode. Routes
// picks one by method and path, and the layers of package guard stand around it:
//
//	func place(ctx context.Context, in order) (httpapi.Reply[receipt], error) {
//		if !known(in.SKU) {
//			return httpapi.Reply[receipt]{}, guard.Errorf(guard.Unprocessable, "unknown_sku", "There is no such article.")
//		}
//		r := receipt{ID: newID(), Status: "accepted"}
//		return httpapi.Created("/orders/"+r.ID, r), nil
//	}
//
//	func main() {
//		httpapi.Start(
//			httpapi.Routes(map[string]lambda.Handler{
//				"POST /orders":     httpapi.Func(place),
//				"GET /orders/{id}": httpapi.Func(get),
//				"/legacy/":         httpapi.Serve(mux),
//			}),
//			logging.New(os.Stdout),
//		)
//	}
//
// # Requests
//
// Events of payload format 2.0 (HTTP API, function URL) and 1.0 (REST API, HTTP
// API), of load balancers, and of VPC Lattice in its event structure version V2
// are one [Request] to a handler. The answer goes out in the form that the event
// came in.
//
// The path that is matched is the API's own, decoded once. Where the gateway says
// which route it has taken, it is the path of that route; else the stage of an
// execute-api address is taken off. A custom domain's base path in front of
// $default stays, as nothing says where it ends. A path that two readers could
// take for two is refused with a 400 and the code path_ambiguous: one that still
// holds a percent sign, or has a backslash, a control character, an empty or a dot
// segment, or an escaped slash in it.
//
// [Func] and validate.Body refuse JSON with two meanings. [Serve] and [Handler]
// pass bytes on; put validate.Body before them. What is larger than
// [guard.Limits] allow is refused before it is decoded.
//
// # Answers
//
// [Func] sends the JSON of what the function returned. A [Reply] in its place
// has a status, headers and cookies too. [Handler] and [Serve] send bytes: as
// text where they are UTF-8 and not compressed, and through base64 otherwise,
// which a REST API takes off where its binaryMediaTypes say so, */* always. A
// status, header or cookie that is malformed is an Internal error and never sent;
// so is an answer larger than Lambda takes.
//
// # Errors
//
// A function returns an error, and [Problems] makes a response of it: status,
// code and detail of a [guard.Error], and a 500 that says nothing for any other.
// [SecurityHeaders] and [CORS] reach every answer, problems included, on either
// side of Problems, and answers of handlers that know nothing of this package.
//
// The three of them know of WebSockets as well: an error is answered, and what a
// handler has answered to a message is left as it is.
package httpapi
