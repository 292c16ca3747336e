package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// disk is a Store in a directory. Every access goes through os.Root, so that a symbolic link put into
// the directory can't lead out of it either.
type disk struct {
	root *os.Root
}

func openDisk(dir string) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the package directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the package directory: %w", err)
	}
	return &disk{root: root}, nil
}

// tempPrefix marks files that are being written. Keys can't begin with it.
const tempPrefix = ".put-"

// Put writes beside the target, syncs, renames, and syncs the directory: in this order a power failure
// leaves the old file or the new one.
func (d *disk) Put(ctx context.Context, key string, r io.Reader) (size int64, err error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	if err := d.mkdirs(path.Dir(key)); err != nil {
		return 0, fmt.Errorf("making the directory of a file: %w", err)
	}
	temp := path.Join(path.Dir(key), tempPrefix+randomName())
	f, err := d.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("making a file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.removeIfThere(temp))
		}
	}()
	size, err = io.Copy(f, contextReader{ctx, r})
	if err != nil {
		return 0, errors.Join(fmt.Errorf("writing a file: %w", err), f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return 0, fmt.Errorf("writing a file: %w", err)
	}
	if err := d.root.Rename(temp, key); err != nil {
		return 0, fmt.Errorf("naming a file: %w", err)
	}
	return size, d.syncDir(path.Dir(key))
}

// Get opens a file.
func (d *disk) Get(_ context.Context, key string) (io.ReadCloser, int64, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	f, err := d.root.Open(key)
	if absent(err) {
		return nil, 0, notFound(err)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("opening a file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("opening a file: %w", err), f.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.Join(notFound(nil), f.Close())
	}
	return f, info.Size(), nil
}

// Delete removes a file, and not a directory.
func (d *disk) Delete(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	info, err := d.root.Lstat(key)
	if absent(err) || (err == nil && info.IsDir()) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting a file: %w", err)
	}
	if err := d.removeIfThere(key); err != nil {
		return fmt.Errorf("deleting a file: %w", err)
	}
	return d.syncDir(path.Dir(key))
}

// List walks the directory. Keys are gathered first, so that fn may delete what it is shown, and sorted
// by bytes, which is the order of S3 and not that of a walk.
func (d *disk) List(ctx context.Context, prefix string, fn func(key string, size int64) error) error {
	sizes := map[string]int64{}
	err := fs.WalkDir(d.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted while we walk
		}
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && !strings.HasPrefix(name+"/", prefix) && !strings.HasPrefix(prefix, name+"/") {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), ".") || !strings.HasPrefix(name, prefix) {
			return ctx.Err()
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		sizes[name] = info.Size()
		return ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("listing files: %w", err)
	}
	keys := make([]string, 0, len(sizes))
	for key := range sizes {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := errors.Join(ctx.Err(), fn(key, sizes[key])); err != nil {
			return err
		}
	}
	return nil
}

// mkdirs makes a directory and its parents, each new one synced into its parent.
func (d *disk) mkdirs(dir string) error {
	if dir == "." {
		return nil
	}
	if info, err := d.root.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := d.mkdirs(path.Dir(dir)); err != nil {
		return err
	}
	if err := d.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.syncDir(path.Dir(dir))
}

func (d *disk) syncDir(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing a directory: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("syncing a directory: %w", err)
	}
	return nil
}

func (d *disk) removeIfThere(name string) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// absent tells whether an error means that there is no such file; a file where a directory would have
// to be says the same.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || isNotDir(err)
}

// String names the store for a log.
func (d *disk) String() string { return "file://" + filepath.ToSlash(d.root.Name()) }
