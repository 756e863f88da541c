// Package structs validates inputs with go-playground/validator/v10, by the tags of
// their struct fields.
//
//	type Order struct {
//		Customer string `json:"customer" validate:"required,startswith=c-"`
//		Items    []Item `json:"items" validate:"min=1,max=50,dive"`
//	}
//
//	func main() {
//		guard.Start(httpapi.Func(structs.Input(placeOrder)), httpapi.Problems(), guard.Recover())
//	}
//
// Errors have the form of package [validate]: the code is validation_failed, places
// are JSON pointers such as /items/0/quantity, and no value is shown. An error in a
// field with the tag json:"-" has the pointer of the object around it.
//
// Elements of a slice or a map are validated only if the field has the tag dive.
//
// The package links 2 MiB that package validate does not need.
//
// [validate]: https://pkg.go.dev/github.com/lambdarmor/lambdarmor/validate
package structs
