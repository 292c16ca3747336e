package store

import (
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
)

// Package is a finished export: where its sealed bytes lie and the key that opens them.
type Package struct {
	ID          string // UUIDv7; made by PutPackage when empty
	Submission  dsr.SubmissionID
	Request     dsr.RequestID
	BlobKey     string
	Key         seal.Key // zero after DestroyPackage
	Size        int64
	Rows        int64
	SHA256      string
	MadeAt      time.Time
	ExpiresAt   time.Time
	DestroyedAt time.Time
	ReleasedAt  time.Time // when an officer released it, where the policy wants that
	Downloads   int
	Manifest    []byte // sealed
}

type packageRow struct {
	Tenant     string
	ID         string
	Submission string
	Request    string
	BlobKey    string
	WrappedKey []byte
	Size       int64
	RowCount   int64
	SHA256     string `gorm:"column:sha256"`
	Made       stamp  `gorm:"column:made_at"`
	Expires    stamp  `gorm:"column:expires_at"`
	Destroyed  stamp  `gorm:"column:destroyed_at"`
	Released   stamp  `gorm:"column:released_at"`
	Downloads  int64
	Manifest   []byte
}

// PutPackage stores a finished package with its key, wrapped by the submission's.
func (tx *Tx) PutPackage(p Package) (id string, err error) {
	key, err := tx.submissionKey(p.Submission)
	if err != nil {
		return "", err
	}
	if key.IsZero() {
		return "", errPurged()
	}
	row := packageRow{
		Tenant: string(tx.Tenant), ID: newID(p.ID), Submission: string(p.Submission), Request: string(p.Request), BlobKey: p.BlobKey,
		Size: p.Size, RowCount: p.Rows, SHA256: p.SHA256, Made: at(p.MadeAt), Expires: at(p.ExpiresAt), Destroyed: at(p.DestroyedAt),
		Released: at(p.ReleasedAt), Downloads: int64(p.Downloads),
	}
	if row.WrappedKey, err = p.Key.Wrap(tx.ctx, under{key}, tx.place("package", row.ID, "wrapped_key")); err != nil {
		return "", err
	}
	if p.Manifest != nil {
		row.Manifest = key.Seal(p.Manifest, tx.place("package", row.ID, "manifest"))
	}
	return row.ID, tx.insert("package", &row)
}

func (tx *Tx) pkg(r packageRow) (p Package, err error) {
	p = Package{
		ID: r.ID, Submission: dsr.SubmissionID(r.Submission), Request: dsr.RequestID(r.Request), BlobKey: r.BlobKey,
		Size: r.Size, Rows: r.RowCount, SHA256: r.SHA256, MadeAt: r.Made.Time, ExpiresAt: r.Expires.Time, DestroyedAt: r.Destroyed.Time,
		ReleasedAt: r.Released.Time, Downloads: int(r.Downloads),
	}
	key, err := tx.submissionKey(p.Submission)
	if err != nil || key.IsZero() {
		return p, err
	}
	if r.WrappedKey != nil {
		if p.Key, err = seal.Unwrap(tx.ctx, under{key}, r.WrappedKey, tx.place("package", r.ID, "wrapped_key")); err != nil {
			return Package{}, err
		}
	}
	if r.Manifest != nil {
		if p.Manifest, err = key.Open(r.Manifest, tx.place("package", r.ID, "manifest")); err != nil {
			return Package{}, fmt.Errorf("opening package.manifest: %w", err)
		}
	}
	return p, nil
}

// Package gives one package. Key is zero when it was destroyed.
func (tx *Tx) Package(id string) (Package, error) {
	row, err := take[packageRow](tx.in("package").Where("id = ?", id), errNoPackage())
	if err != nil {
		return Package{}, err
	}
	return tx.pkg(row)
}

// PackageOf gives the newest package of a request.
func (tx *Tx) PackageOf(request dsr.RequestID) (Package, error) {
	row, err := take[packageRow](tx.in("package").Where("request = ?", string(request)).Order("made_at DESC, id DESC"), errNoPackage())
	if err != nil {
		return Package{}, err
	}
	return tx.pkg(row)
}

// PackagesOf gives all packages of a submission, oldest first.
func (tx *Tx) PackagesOf(sub dsr.SubmissionID) ([]Package, error) {
	rows, err := all[packageRow](tx.in("package").Where("submission = ?", string(sub)).Order("made_at, id"))
	if err != nil {
		return nil, err
	}
	out := make([]Package, len(rows))
	for i, r := range rows {
		if out[i], err = tx.pkg(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// packageAlive is a package that can still be handed over.
const packageAlive = ` WHERE tenant = ? AND id = ? AND destroyed_at IS NULL AND wrapped_key IS NOT NULL`

// ReleasePackage makes a package ready for the person, until expires.
func (tx *Tx) ReleasePackage(id string, expires time.Time, act Act) error {
	return tx.changePackage(id, act, `UPDATE package SET released_at = ?, expires_at = ?`+packageAlive,
		at(tx.Now), at(expires), string(tx.Tenant), id)
}

// MarkDownloaded counts a download. An expired or destroyed package is a fault.Gone, so that a download that is
// counted in the transaction that opens it can't be one too late.
func (tx *Tx) MarkDownloaded(id string, act Act) error {
	return tx.changePackage(id, act, `UPDATE package SET downloads = downloads + 1`+packageAlive+` AND expires_at > ?`,
		string(tx.Tenant), id, at(tx.Now))
}

// DestroyPackage destroys the key, and with it every copy of the package. Its bytes are the caller's to delete
// before; destroying twice changes nothing.
func (tx *Tx) DestroyPackage(id string, act Act) error {
	p, err := tx.Package(id)
	if err != nil || !p.DestroyedAt.IsZero() {
		return err
	}
	return tx.changePackage(id, act, `UPDATE package SET wrapped_key = NULL, destroyed_at = ? WHERE tenant = ? AND id = ?`,
		at(tx.Now), string(tx.Tenant), id)
}

func (tx *Tx) changePackage(id string, act Act, query string, args ...any) error {
	if _, err := tx.Package(id); err != nil {
		return err
	}
	if err := tx.exactlyOne(fault.New(fault.Gone, "package_over", "That package is not there any more."), query, args...); err != nil {
		return err
	}
	return tx.Audit(act, auditlog.Object{Kind: "package", ID: id})
}

func errNoPackage() error { return notFound("unknown_package", "There is no such package.") }
