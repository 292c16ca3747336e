// Package tenant owns what a tenant has set: its policy and data map, in versions. It parses and checks both files,
// applies them as a new version when they changed, and keeps parsed versions in memory, since a request is handled
// under the version that was in force when it was received.
//
// It stands between the store and everything that needs to know what was promised.
package tenant
