package api

import _ "embed" // the document

//go:embed openapi.yaml
var spec []byte

// Spec gives openapi.yaml (OpenAPI 3.1) as it is served. The caller gets a copy.
func Spec() []byte { return append([]byte(nil), spec...) }
