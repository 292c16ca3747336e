// Package httpapi is the door for programs: the calls of api/openapi.yaml over Echo. It decodes, calls one use case and
// encodes; it decides nothing.
//
// It owns what every answer has in common, for the pages of web/portal and web/console too, which are mounted on the
// Echo that New gives: security headers, request log, recovery, the mapping of errors to application/problem+json or to
// a page, and the limits on what strangers may send. It does not own the pages, nor any rule about requests.
//
//	request ─ recover ─ log ─ headers ─ route ─ who calls? ─ seen this key? ─ decode ─ use case ─ encode
//	                                                      any error ─► fail: problem+json, or a page
//
// The interfaces in deps.go are what the doors ask of the use cases; wiring is elsewhere.
package httpapi
