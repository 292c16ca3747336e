// Package blobtest holds what every blob.Store must do, as tests to run on each kind.
package blobtest
