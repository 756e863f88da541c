// Package structs validates inputs by the tags of their struct fields, as
// go-playground/validator/v10 reads them, and answers as [validate] does: code
// validation_failed, JSON pointers to the members, no values.
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
// A slice or map is looked into only where its field has the tag dive. A place
// is named as the caller knows it, /items/0/quantity, through embedded structs,
// pointers, slices and maps; a field with the tag json:"-" is no member, and
// what is wrong with it is wrong with the object around it.
//
// The package links 2 MiB that schemas do without.
//
// [validate]: https://pkg.go.dev/github.com/lambdarmor/lambdarmor/validate
package structs
