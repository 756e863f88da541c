// Package httpapi answers HTTP requests from API Gateway, function URLs, load
// balancers and VPC Lattice with plain functions, or with any net/http handler.
//
// A function takes the decoded body and returns the value to encode. Routes picks a
// function by method and path, and the layers of package guard stand around it:
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
// A handler sees the same [Request] for all triggers. They are payload format 2.0
// (HTTP API, function URL) and 1.0 (REST API, HTTP API), load balancers, and VPC
// Lattice with event structure version V2. The answer has the form that the event
// asks for.
//
// Routes match the path of the API, decoded once. If the gateway reports its route,
// it is the path of that route; otherwise the stage of an execute-api address is
// removed. The base path of a custom domain in front of $default stays, as the event
// does not say where it ends. An ambiguous path is refused with a 400 and the code
// path_ambiguous. A path is ambiguous if it still has a percent sign, or has a
// backslash, a control character, an empty or a dot segment, or an escaped slash.
//
// [Func] and validate.Body refuse JSON with two meanings. [Serve] and [Handler] pass
// bytes on; put validate.Body before them. A request over the [guard.Limits] is
// refused before it is decoded.
//
// # Answers
//
// [Func] sends the JSON of what the function returned. A [Reply] sets a status,
// headers and cookies too. [Handler] and [Serve] send bytes: as text if they are UTF-8
// and not compressed, and through base64 otherwise. A REST API decodes base64 only if
// its binaryMediaTypes match; */* always does. A malformed status, header or cookie is
// an Internal error and never sent, and so is an answer larger than Lambda takes.
//
// # Errors
//
// A function returns an error, and [Problems] turns it into a response: status, code
// and detail of a [guard.Error], and a 500 without details for any other.
// [SecurityHeaders] and [CORS] reach every answer, on either side of Problems,
// including problems and answers of handlers that do not use this package.
//
// All three also work for WebSockets: an error is answered, and the answer to a
// message stays as the handler made it.
package httpapi
