package auditlog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Format names the version of leaves and exports.
const Format = "habeas-audit/1"

// leafPrefix begins every leaf, so that no other JSON of ours, and no leaf of a later version, has the
// same bytes.
const leafPrefix = Format + "\n"

// timeLayout is RFC 3339 in UTC with exactly six decimals.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// The outcomes of an entry.
const (
	OutcomeOK      = "ok"      // it was done
	OutcomeRefused = "refused" // it was not allowed or not possible, and nothing was done
	OutcomeFailed  = "failed"  // it was begun and did not succeed
)

// Actor is who acted: its kind (access.Kind) and the keyed hash of its subject, which may be empty for
// the public and for our own jobs.
type Actor struct {
	Hash string `json:"hash"`
	Kind string `json:"kind"`
}

// Object is what was acted on: its kind and its opaque id, which may be empty for a thing that there is
// once a tenant.
type Object struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
}

// Entry is one thing that happened, in one tenant.
type Entry struct {
	ID      string            // UUIDv7, lower case
	Tenant  string            // slug
	At      time.Time         // cut to microseconds of UTC
	Actor   Actor             // who
	Action  string            // what, such as "request.approve"
	Object  Object            // to what
	Outcome string            // OutcomeOK, OutcomeRefused or OutcomeFailed
	Facts   map[string]string // by the list of facts.go; nil and empty are the same
}

// wire is an entry as canonical JSON: compact, fields in alphabetical order, no optional ones.
type wire struct {
	Action  string            `json:"action"`
	Actor   Actor             `json:"actor"`
	At      string            `json:"at"`
	Facts   map[string]string `json:"facts"`
	ID      string            `json:"id"`
	Object  Object            `json:"object"`
	Outcome string            `json:"outcome"`
	Tenant  string            `json:"tenant"`
}

// Encode gives the leaf of an entry: "habeas-audit/1", a newline and canonical JSON. Equal entries have
// equal leaves and different ones different leaves. An entry that breaks a rule of Entry is refused:
// what can't be recorded must not be done.
func Encode(e Entry) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("encoding an audit entry: %w", err)
	}
	facts := e.Facts
	if facts == nil {
		facts = map[string]string{}
	}
	text, err := marshal(wire{
		Action: e.Action, Actor: e.Actor, At: e.At.UTC().Format(timeLayout), Facts: facts,
		ID: e.ID, Object: e.Object, Outcome: e.Outcome, Tenant: e.Tenant,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding an audit entry: %w", err)
	}
	return append([]byte(leafPrefix), text...), nil
}

// Decode reads a leaf and accepts only what Encode gives, byte for byte.
func Decode(leaf []byte) (Entry, error) {
	text, ok := bytes.CutPrefix(leaf, []byte(leafPrefix))
	if !ok {
		return Entry{}, fmt.Errorf("decoding an audit entry: it does not begin with %q", Format)
	}
	var w wire
	if err := unmarshal(text, &w); err != nil {
		return Entry{}, fmt.Errorf("decoding an audit entry: %w", err)
	}
	at, err := time.Parse(timeLayout, w.At)
	if err != nil {
		return Entry{}, fmt.Errorf("decoding an audit entry: its time is not of the form %s", timeLayout)
	}
	e := Entry{ID: w.ID, Tenant: w.Tenant, At: at, Actor: w.Actor, Action: w.Action, Object: w.Object, Outcome: w.Outcome, Facts: w.Facts}
	again, err := Encode(e)
	if err != nil {
		return Entry{}, err
	}
	// Another spelling of the same JSON (escapes, spaces, key order, doubled keys) is another leaf.
	if !bytes.Equal(again, leaf) {
		return Entry{}, errors.New("decoding an audit entry: it is not in canonical form")
	}
	return e, nil
}

// check holds an entry against its rules. Its errors name the field and never the value: what does not
// belong into the log does not belong into an error either.
func (e Entry) check() error {
	at := e.At.UTC()
	switch {
	case !isUUIDv7(e.ID):
		return errors.New("id must be a UUIDv7 in lower case")
	case !isSlug(e.Tenant):
		return errors.New("tenant must be a slug")
	case at.Year() < 2000 || at.Year() > 9999:
		return errors.New("at must lie between the years 2000 and 9999")
	case !isEnum(e.Actor.Kind):
		return errors.New("actor.kind must be an enum value")
	case e.Actor.Hash != "" && !isToken(e.Actor.Hash):
		return errors.New("actor.hash must be a hash")
	case !isEnum(e.Action):
		return errors.New("action must be an enum value")
	case !isEnum(e.Object.Kind):
		return errors.New("object.kind must be an enum value")
	case e.Object.ID != "" && !isToken(e.Object.ID):
		return errors.New("object.id must be an opaque id")
	case e.Outcome != OutcomeOK && e.Outcome != OutcomeRefused && e.Outcome != OutcomeFailed:
		return errors.New("outcome must be ok, refused or failed")
	case len(e.Facts) > maxFacts:
		return fmt.Errorf("facts are more than %d", maxFacts)
	}
	for _, key := range slices.Sorted(maps.Keys(e.Facts)) {
		if err := checkFact(key, e.Facts[key]); err != nil {
			return err
		}
	}
	return nil
}

// marshal gives compact JSON with map keys sorted and without HTML escapes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// unmarshal reads exactly one JSON value without unknown fields. What it lets pass (other case of a key,
// doubled keys, white space) is caught by whoever encodes again and compares.
func unmarshal(text []byte, v any) error {
	if !utf8.Valid(text) {
		return errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return errors.New("it is not JSON of the right shape") // the decoder's error may quote the input
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it holds more than one JSON value")
	}
	return nil
}

// isUUIDv7 tells whether s is a UUID of version 7 and the RFC 9562 variant, in lower case with dashes.
func isUUIDv7(s string) bool {
	if len(s) != 36 || s[14] != '7' || !strings.ContainsRune("89ab", rune(s[19])) {
		return false
	}
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdef", rune(s[i])) {
			return false
		}
	}
	return true
}

// uuidBytes gives the 16 bytes of a UUID that isUUIDv7 accepts: a third of the memory of its text, which
// counts where a million are kept.
func uuidBytes(s string) (id [16]byte) {
	raw, _ := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	copy(id[:], raw)
	return id
}
