// Package connector owns the capabilities by which the program reaches into a product's systems: locate, collect,
// capture, erase, rectify. Each is a small interface; a kind of system implements those it can. One folder a kind
// (sqldb, …); every kind must pass connectortest.
//
// Two rules hold for all kinds. Only proven identifiers find data (Scope). And before each batch that changes
// anything, Guard is asked again: a worker that was overtaken, or a hold that was placed meanwhile, stops it there.
//
// The records of what was done are kept by whoever calls, through Recorder: a connector knows no store.
package connector
