// Package app owns the wiring: which part gets which, by hand, on one screen. The program's main and the end-to-end
// tests use the same wiring. It is the only place where the clock is read.
//
//	Open ── store, keys, tenants, systems, use cases ──► App
//	App.Serve: the doors (API, pages) and, unless told otherwise, the workers
//	App.Work:  the workers alone
package app
