package app

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// unpacked is what a package holds, as the demo found it.
type unpacked struct {
	files int
	bytes int64
	keys  map[string]map[string]bool // of the rows, by table
	rows  int
	read  map[string][]byte
}

// unpack reads a package as its receiver would: every file against the manifest, every row with its key.
func (s *shopDB) unpack(ctx context.Context, raw []byte, reference string) (unpacked, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return unpacked{}, fmt.Errorf("the package is no ZIP: %w", err)
	}
	u := unpacked{bytes: int64(len(raw)), keys: map[string]map[string]bool{}, read: map[string][]byte{}}
	for _, f := range z.File {
		content, err := readZipped(f)
		if err != nil {
			return unpacked{}, fmt.Errorf("%s: %w", f.Name, err)
		}
		u.read[f.Name] = content
	}
	if err := u.againstManifest(reference); err != nil {
		return unpacked{}, err
	}
	for name, content := range u.read {
		if !strings.HasPrefix(name, "data/shop/") {
			continue
		}
		table := strings.TrimSuffix(path.Base(name), ".json")
		if err := s.readRows(ctx, u.keys, table, content); err != nil {
			return unpacked{}, fmt.Errorf("%s: %w", name, err)
		}
		u.rows += len(u.keys[table])
	}
	return u, nil
}

func readZipped(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func (u *unpacked) againstManifest(reference string) error {
	var m struct {
		Reference string
		Files     []struct {
			Path, SHA256 string
			Bytes        int64
		}
	}
	if err := json.Unmarshal(u.read["manifest.json"], &m); err != nil {
		return fmt.Errorf("manifest.json can't be read: %w", err)
	}
	if m.Reference != reference {
		return errors.New("the manifest is of another request")
	}
	if len(m.Files) != len(u.read)-1 {
		return fmt.Errorf("the manifest names %d files and there are %d beside it", len(m.Files), len(u.read)-1)
	}
	for _, f := range m.Files {
		content, ok := u.read[f.Path]
		if !ok {
			return fmt.Errorf("%s is in the manifest and missing", f.Path)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != f.SHA256 {
			return fmt.Errorf("%s is not what the manifest says", f.Path)
		}
	}
	u.files = len(u.read)
	for _, name := range []string{"index.html", "response.html", "response.txt"} {
		if len(u.read[name]) == 0 {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}

func (s *shopDB) readRows(ctx context.Context, keys map[string]map[string]bool, table string, content []byte) error {
	key, err := s.primaryKey(ctx, table)
	if err != nil {
		return err
	}
	var rows []map[string]any
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber() // a key is a number as it stands
	if err := dec.Decode(&rows); err != nil {
		return err
	}
	keys[table] = map[string]bool{}
	for _, row := range rows {
		parts := make([]string, len(key))
		for i, k := range key {
			v, ok := row[k]
			if !ok || v == nil {
				return fmt.Errorf("a row has no %s", k)
			}
			parts[i] = fmt.Sprint(v)
		}
		k := strings.Join(parts, "|")
		if keys[table][k] {
			return errors.New("a row is there twice")
		}
		keys[table][k] = true
	}
	return nil
}

// sameKeys holds two sets of keys by table against each other.
func sameKeys(got, want map[string]map[string]bool) error {
	for table, keys := range want {
		for k := range keys {
			if !got[table][k] {
				return fmt.Errorf("a row of %s is missing", table)
			}
		}
	}
	for table, keys := range got {
		for k := range keys {
			if !want[table][k] {
				return fmt.Errorf("a row of %s is there that is not the person's", table)
			}
		}
	}
	return nil
}
