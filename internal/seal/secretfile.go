package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/habeas-data/habeas/internal/fault"
)

// maxSecretFile bounds a secret file in bytes; a key line is about 60.
const maxSecretFile = 64 << 10

// SecretFile reads a file that only its owner may read. When there is none it writes fresh() there
// first: mode 0600, complete and on disk before it appears under its name, so that of two processes
// that start together both read the same secret. With fresh nil a missing file is a fault.NotFound.
//
// A file that group or others may touch, an empty one and one over 64 KiB are refused with a
// fault.Invalid that says what would be right.
func SecretFile(path string, fresh func() []byte) ([]byte, error) {
	raw, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return raw, err
	}
	if fresh == nil {
		return nil, fault.Wrap(err, fault.NotFound, "no_secret_file", "The secret file %s does not exist.", path)
	}
	if err := writeSecret(path, fresh()); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("writing the secret file %s: %w", path, err)
	}
	return readSecret(path)
}

// readSecret checks the open file and not its name, so that it can't be exchanged in between.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the path is a setting of the operator
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return nil, fault.New(fault.Invalid, "bad_secret_file", "The secret file %s is not a regular file.", path)
	case mode.Perm()&0o077 != 0:
		return nil, fault.New(fault.Invalid, "bad_secret_file",
			"The secret file %s has mode %#o, so others than its owner may use it; run: chmod 600 %s", path, mode.Perm(), path)
	case info.Size() == 0 || info.Size() > maxSecretFile:
		return nil, fault.New(fault.Invalid, "bad_secret_file",
			"The secret file %s has %d bytes; it must have between 1 and %d.", path, info.Size(), maxSecretFile)
	}
	return io.ReadAll(io.LimitReader(f, maxSecretFile))
}

// writeSecret makes the file under a name of its own, and links it to path: a link fails when the name
// is taken, and shows the whole file or none.
func writeSecret(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".secret-*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, os.Remove(tmp.Name()))
	}()
	if _, err := tmp.Write(content); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in the directory survive a power failure.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory of a setting
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
