package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

// Settings is one parsed version of a tenant's files. Map has no systems when the tenant has no data map yet.
type Settings struct {
	Tenant  dsr.TenantID
	Version int64
	Policy  *policy.Policy
	Map     *datamap.Map
}

// HasMap tells whether there is a data map to work with.
func (s *Settings) HasMap() bool { return s.Map != nil && len(s.Map.Systems) > 0 }

// Files is what a tenant's folder holds, as bytes with the names used in messages.
type Files struct {
	PolicyName, MapName string
	Policy, Map         []byte // Map may be empty
}

// Registry parses, checks, applies and remembers tenants' files.
type Registry struct {
	store *store.Store
	book  *statute.Book

	mu    sync.Mutex
	cache map[cacheKey]*Settings
}

type cacheKey struct {
	tenant  dsr.TenantID
	version int64
}

// New makes a registry.
func New(s *store.Store, book *statute.Book) *Registry {
	return &Registry{store: s, book: book, cache: map[cacheKey]*Settings{}}
}

// Current gives the version in force; a tenant without one does not exist for a stranger.
func (r *Registry) Current(tx *store.Tx) (*Settings, error) {
	c, err := tx.CurrentConfig()
	if err != nil {
		return nil, unknownTenant(err)
	}
	return r.parsed(tx.Tenant, c)
}

// At gives one version.
func (r *Registry) At(tx *store.Tx, version int64) (*Settings, error) {
	if s := r.remembered(cacheKey{tx.Tenant, version}); s != nil {
		return s, nil
	}
	c, err := tx.Config(version)
	if err != nil {
		return nil, fmt.Errorf("reading version %d of the tenant's files: %w", version, err)
	}
	return r.parsed(tx.Tenant, c)
}

func unknownTenant(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Wrap(err, fault.NotFound, "unknown_tenant", "There is nobody by that name here.")
	}
	return err
}

func (r *Registry) remembered(k cacheKey) *Settings {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache[k]
}

func (r *Registry) parsed(id dsr.TenantID, c store.Config) (*Settings, error) {
	key := cacheKey{id, c.Version}
	if s := r.remembered(key); s != nil {
		return s, nil
	}
	s, problems := r.Check(Files{PolicyName: "policy.yaml", MapName: "datamap.yaml", Policy: c.Policy, Map: c.DataMap})
	if s == nil {
		return nil, fmt.Errorf("version %d of a tenant's files no longer reads: %v", c.Version, problems)
	}
	s.Tenant, s.Version = id, c.Version
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache[key] = s
	return s, nil
}

// Applied tells what applying a folder did.
type Applied struct {
	Tenant  dsr.TenantID
	Version int64
	Created bool // the tenant is new
	Changed bool // false: the same files were in force already
	Changes []policy.Change
}

// Apply checks a tenant's files and puts them in force as a new version; the same files again change nothing.
// Faults come back as problems, and nothing is stored.
func (r *Registry) Apply(ctx context.Context, f Files, by auditlog.Actor) (Applied, []Problem, error) {
	s, problems := r.Check(f)
	if Wrong(problems) {
		return Applied{}, problems, nil
	}
	id := dsr.TenantID(s.Policy.Tenant)
	created, err := r.store.CreateTenant(ctx, id)
	if err != nil {
		return Applied{}, problems, fmt.Errorf("making the tenant: %w", err)
	}
	out := Applied{Tenant: id, Created: created}
	err = r.store.InTx(ctx, id, func(tx *store.Tx) error {
		if old, err := r.Current(tx); err == nil {
			out.Changes = policy.Compare(old.Policy, s.Policy)
		}
		digest := filesDigest(f)
		out.Version, out.Changed, err = tx.PutConfig(store.Config{
			PolicyVersion: s.Policy.VersionText, Policy: f.Policy, DataMap: f.Map, Digest: digest,
		}, store.Act{By: by, Action: "tenant.apply", Facts: map[string]string{"digest": digest}})
		return err
	})
	if err != nil {
		return Applied{}, problems, fmt.Errorf("storing the tenant's files: %w", err)
	}
	return out, problems, nil
}

func filesDigest(f Files) string {
	h := sha256.New()
	fmt.Fprintf(h, "policy %d\n", len(f.Policy))
	h.Write(f.Policy)
	fmt.Fprintf(h, "map %d\n", len(f.Map))
	h.Write(f.Map)
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// ReadDir reads a tenant's folder: policy.yaml, and datamap.yaml when there is one.
func ReadDir(dir string) (Files, error) {
	f := Files{PolicyName: filepath.Join(dir, "policy.yaml"), MapName: filepath.Join(dir, "datamap.yaml")}
	var err error
	if f.Policy, err = os.ReadFile(f.PolicyName); err != nil {
		return Files{}, unreadable(f.PolicyName, err)
	}
	if f.Map, err = os.ReadFile(f.MapName); err != nil && !os.IsNotExist(err) {
		return Files{}, unreadable(f.MapName, err)
	}
	return f, nil
}

func unreadable(name string, err error) error {
	if os.IsNotExist(err) {
		return fault.Wrap(err, fault.Invalid, "no_file", "%s does not exist.", name)
	}
	return fault.Wrap(err, fault.Invalid, "unreadable_file", "%s can't be read.", name)
}

// Folders lists the folders of a tenants directory that hold a policy.yaml, sorted by name.
func Folders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "unreadable_dir", "HABEAS_TENANTS_DIR: %s can't be read.", dir)
	}
	var out []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if _, err := os.Stat(filepath.Join(path, "policy.yaml")); err == nil {
			out = append(out, path)
		}
	}
	return out, nil
}
