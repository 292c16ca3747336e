package store

import (
	"errors"
	"fmt"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/seal"
)

// Captured keys are the primary keys of a person's rows, recorded before the first of them is touched: what the look
// afterwards, obligations years ahead and a replay after a restore go by. They are sealed under a key of the
// request's own, which outlives the submission's for as long as an obligation needs it, and no longer.

type captureKeyRow struct {
	Tenant     string
	Request    string
	WrappedKey []byte
}

type captureRow struct {
	Tenant  string
	Request string
	Step    int64
	Chunk   int64
	Keys    []byte
}

func (tx *Tx) capturePlace(r captureRow) []byte {
	return tx.place("capture", fmt.Sprintf("%s/%d/%d", r.Request, r.Step, r.Chunk), "keys")
}

// captureKey gives the key of a request's captures, made on first use when make is set; zero when there is none.
func (tx *Tx) captureKey(id dsr.RequestID, create bool) (seal.Key, error) {
	if key, ok := tx.captures[id]; ok {
		return key, nil
	}
	rows, err := all[captureKeyRow](tx.in("capture_key").Where("request = ?", string(id)))
	if err != nil {
		return seal.Key{}, err
	}
	where := tx.place("capture_key", string(id), "wrapped_key")
	var key seal.Key
	switch {
	case len(rows) > 0:
		if key, err = seal.Unwrap(tx.ctx, under{tx.key}, rows[0].WrappedKey, where); err != nil {
			return seal.Key{}, err
		}
	case !create:
		return seal.Key{}, nil
	default:
		key = seal.NewKey()
		wrapped, err := key.Wrap(tx.ctx, under{tx.key}, where)
		if err != nil {
			return seal.Key{}, err
		}
		if err := tx.insert("capture_key", &captureKeyRow{string(tx.Tenant), string(id), wrapped}); err != nil {
			return seal.Key{}, err
		}
	}
	if tx.captures == nil {
		tx.captures = map[dsr.RequestID]seal.Key{}
	}
	tx.captures[id] = key
	return key, nil
}

// PutCapture stores one chunk of the keys of a step (0, 1, …), fenced. A chunk that is stored again replaces the
// former; a capture that begins anew calls DropCapture first, so that no chunk of a longer one stays behind.
func (tx *Tx) PutCapture(req *dsr.Request, step, chunk int, keys [][]string) error {
	if step < 0 || chunk < 0 {
		return errors.New("storing captured keys: step and chunk count from 0")
	}
	if err := tx.fence(req); err != nil {
		return err
	}
	key, err := tx.captureKey(req.ID, true)
	if err != nil {
		return err
	}
	row := captureRow{Tenant: string(tx.Tenant), Request: string(req.ID), Step: int64(step), Chunk: int64(chunk)}
	if keys == nil {
		keys = [][]string{}
	}
	if row.Keys, err = sealed(key, tx.capturePlace(row), keys); err != nil {
		return err
	}
	return tx.upsert("capture", &row, []string{"tenant", "request", "step", "chunk"}, []string{"keys"})
}

// Capture gives one chunk; nil when there is none, empty when none were found.
func (tx *Tx) Capture(id dsr.RequestID, step, chunk int) ([][]string, error) {
	rows, err := all[captureRow](tx.in("capture").Where("request = ? AND step = ? AND chunk = ?", string(id), step, chunk))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := tx.captureKey(id, false)
	if err != nil {
		return nil, err
	}
	var keys [][]string
	err = open(key, tx.capturePlace(rows[0]), rows[0].Keys, &keys)
	return keys, err
}

// CaptureSteps gives the steps that have captured keys, each with its number of chunks.
func (tx *Tx) CaptureSteps(id dsr.RequestID) (map[int]int, error) {
	var rows []struct {
		Step int
		N    int
	}
	if err := tx.in("capture").Select("step, count(*) AS n").Where("request = ?", string(id)).Group("step").Find(&rows).Error; err != nil {
		return nil, err
	}
	out := map[int]int{}
	for _, r := range rows {
		out[r.Step] = r.N
	}
	return out, nil
}

// DropCapture deletes the captured keys of a request and the key that opens them.
func (tx *Tx) DropCapture(id dsr.RequestID) error {
	if _, err := tx.exec(`DELETE FROM capture WHERE tenant = ? AND request = ?`, string(tx.Tenant), string(id)); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM capture_key WHERE tenant = ? AND request = ?`, string(tx.Tenant), string(id)); err != nil {
		return err
	}
	tx.captures[id].Wipe()
	delete(tx.captures, id)
	return nil
}
