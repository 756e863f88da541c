package httpapi

// SplitPath is where [Request.Path] comes from.
var SplitPath = splitPath
