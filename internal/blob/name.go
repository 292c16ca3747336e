package blob

import (
	"crypto/rand"
	"errors"
	"syscall"
)

// randomName gives a name that no other writer draws.
func randomName() string { return rand.Text() }

// isNotDir tells whether a part of the path is a file.
func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
