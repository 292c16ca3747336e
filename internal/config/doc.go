// Package config owns the settings: read once from the environment and the command line (which wins), checked all at
// once, and printed without secrets.
//
// A setting that is unknown, unreadable or contradicts another stops the start; the error names every one of them,
// with what would be right. Unsafe settings (plain http, local signing keys, an unencrypted database connection) are
// allowed where everything is on loopback and nowhere else.
package config
