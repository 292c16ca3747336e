package auditlog

import (
	"bytes"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func anyEntry() *rapid.Generator[Entry] {
	return rapid.Custom(func(t *rapid.T) Entry {
		e := Entry{
			ID:      rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`).Draw(t, "id"),
			Tenant:  rapid.StringMatching(`[a-z][a-z0-9-]{0,5}`).Draw(t, "tenant"),
			At:      time.UnixMicro(rapid.Int64Range(1e15, 4e15).Draw(t, "at")).UTC(),
			Actor:   Actor{Kind: rapid.StringMatching(`[a-z][a-z_]{0,5}`).Draw(t, "kind"), Hash: rapid.StringMatching(`[A-Za-z0-9_-]{0,6}`).Draw(t, "hash")},
			Action:  rapid.StringMatching(`[a-z][a-z._]{0,6}`).Draw(t, "action"),
			Object:  Object{Kind: rapid.StringMatching(`[a-z][a-z_]{0,5}`).Draw(t, "object"), ID: rapid.StringMatching(`[A-Za-z0-9:-]{0,6}`).Draw(t, "object id")},
			Outcome: rapid.SampledFrom([]string{OutcomeOK, OutcomeRefused, OutcomeFailed}).Draw(t, "outcome"),
			Facts:   map[string]string{},
		}
		for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"system", "dataset", "field"}), rapid.ID[string]).Draw(t, "names") {
			e.Facts[key] = rapid.StringOfN(rapid.RuneFrom([]rune(`aß"\/<>&{}:, 表`)), 1, 12, 100).Draw(t, key)
		}
		for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"rows", "files"}), rapid.ID[string]).Draw(t, "counts") {
			e.Facts[key] = rapid.StringMatching(`0|[1-9][0-9]{0,8}`).Draw(t, key)
		}
		return e
	})
}

// TestEncodingIsUnambiguous: what is encoded decodes to itself, and two entries have one leaf only if they are equal.
func TestEncodingIsUnambiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyEntry().Draw(t, "a"), anyEntry().Draw(t, "b")
		if rapid.Bool().Draw(t, "near") { // mostly the same, so that borders are tried
			near := a
			near.Facts = maps.Clone(a.Facts)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				near.Action, near.Outcome = b.Action, b.Outcome
			case 1:
				near.Facts = b.Facts
			case 2:
				near.Object.Kind, near.Object.ID = b.Object.Kind, a.Object.ID
			case 3:
				near.At = b.At
			}
			b = near
		}
		la, err := Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		lb, err := Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(la, lb) != reflect.DeepEqual(a, b) {
			t.Fatalf("equal leaves %v, equal entries %v\n%s\n%s", bytes.Equal(la, lb), reflect.DeepEqual(a, b), la, lb)
		}
		if got, err := Decode(la); err != nil || !reflect.DeepEqual(got, a) {
			t.Fatalf("decoded %+v, %v", got, err)
		}
		if bytes.Count(la, []byte("\n")) != 1 {
			t.Fatalf("a leaf has a line break in it: %q", la)
		}
	})
}

func TestEncodeIsPinned(t *testing.T) {
	e := entry(7)
	e.At = time.Date(2026, 11, 2, 12, 0, 0, 123456789, time.FixedZone("", 7200)) // cut to µs of UTC
	leaf, err := Encode(e)
	want := "habeas-audit/1\n" + `{"action":"request.approve","actor":{"hash":"W78K3sqWuS-BfCwXc2CrtCauBNnwrUJxcIFYyOjU0OQ","kind":"officer"},` +
		`"at":"2026-11-02T10:00:00.123456Z","facts":{"dataset":"public.Kunden","rows":"7","system":"shop"},"id":"0190f7a2-0000-7000-8000-000000000007",` +
		`"object":{"id":"0190f7a2-1111-7000-8000-000000000007","kind":"request"},"outcome":"ok","tenant":"acme"}`
	if err != nil || string(leaf) != want {
		t.Errorf("got  %s, %v\nwant %s", leaf, err, want)
	}
	e.Facts = nil
	none, _ := Encode(e)
	e.Facts = map[string]string{}
	if empty, _ := Encode(e); !bytes.Equal(none, empty) {
		t.Error("nil and empty facts differ")
	}
}

func TestEncodeRefuses(t *testing.T) {
	long := strings.Repeat("a", 201)
	for name, breakIt := range map[string]func(*Entry){
		"no id": func(e *Entry) { e.ID = "" }, "UUIDv4": func(e *Entry) { e.ID = "0190f7a2-0000-4000-8000-000000000007" },
		"upper-case id": func(e *Entry) { e.ID = strings.ToUpper(e.ID) }, "no tenant": func(e *Entry) { e.Tenant = "" },
		"tenant": func(e *Entry) { e.Tenant = "Acme" }, "no time": func(e *Entry) { e.At = time.Time{} },
		"actor kind": func(e *Entry) { e.Actor.Kind = "" }, "actor address": func(e *Entry) { e.Actor.Hash = "anna@example.com" },
		"action": func(e *Entry) { e.Action = "Approve it" }, "object kind": func(e *Entry) { e.Object.Kind = "" },
		"object address": func(e *Entry) { e.Object.ID = "anna@example.com" }, "object with a space": func(e *Entry) { e.Object.ID = "Anna B" },
		"outcome": func(e *Entry) { e.Outcome = "fine" }, "no outcome": func(e *Entry) { e.Outcome = "" },
		"unknown fact": func(e *Entry) { e.Facts = map[string]string{"email": "x"} }, "fact key": func(e *Entry) { e.Facts = map[string]string{"anna@example.com": "x"} },
		"address in a name": func(e *Entry) { e.Facts["dataset"] = "anna@example.com" }, "line break in a name": func(e *Entry) { e.Facts["dataset"] = "a\nb" },
		"escape in a name": func(e *Entry) { e.Facts["dataset"] = "a\x1b[0m" }, "line separator": func(e *Entry) { e.Facts["dataset"] = "a\u2028b" },
		"not UTF-8": func(e *Entry) { e.Facts["dataset"] = "a\xff" }, "long name": func(e *Entry) { e.Facts["dataset"] = long }, "empty name": func(e *Entry) { e.Facts["dataset"] = "" },
		"count in words": func(e *Entry) { e.Facts["rows"] = "many" }, "negative": func(e *Entry) { e.Facts["rows"] = "-1" }, "leading zero": func(e *Entry) { e.Facts["rows"] = "07" },
		"1.0": func(e *Entry) { e.Facts["rows"] = "1.0" }, "free text": func(e *Entry) { e.Facts["reason"] = "Anna called us" }, "date": func(e *Entry) { e.Facts["on"] = "tomorrow" },
		"date with a zone": func(e *Entry) { e.Facts["on"] = "2026-11-02T10:00:00+02:00" }, "flag": func(e *Entry) { e.Facts["dry_run"] = "yes" }, "digest": func(e *Entry) { e.Facts["digest"] = "short" },
	} {
		e := entry(1)
		breakIt(&e)
		if leaf, err := Encode(e); err == nil || strings.Contains(err.Error(), "anna") || strings.Contains(err.Error(), "Anna") {
			t.Errorf("%s: %s, %v", name, leaf, err)
		}
	}
	for key, value := range map[string]string{"on": "2026-11-02", "expires_at": "2026-11-02T10:00:00.123Z", "grace": "P30D", "dry_run": "true", "digest": strings.Repeat("ab", 32),
		"root": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "ground": "legal_obligation", "request": "HB-7K3M-92QD", "status": "in_review", "code": "plan_changed", "dataset": `we"ird \ näme`} {
		e := entry(1)
		e.Facts = map[string]string{key: value}
		if _, err := Encode(e); err != nil {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
}

// TestDecodeRefusesOtherSpellings: one entry has one leaf.
func TestDecodeRefusesOtherSpellings(t *testing.T) {
	leaf, err := Encode(entry(7))
	if err != nil {
		t.Fatal(err)
	}
	good := string(leaf)
	for name, bad := range map[string]string{
		"no prefix": strings.TrimPrefix(good, leafPrefix), "another version": strings.Replace(good, "/1", "/2", 1), "space": strings.Replace(good, ":{", ": {", 1),
		"line end": good + "\n", "two": good + "{}", "escape": strings.Replace(good, "shop", `\u0073hop`, 1), "key case": strings.Replace(good, `"action"`, `"Action"`, 1),
		"unknown key": strings.Replace(good, `{"action"`, `{"a":1,"action"`, 1), "doubled key": strings.Replace(good, `{"action"`, `{"action":"x","action"`, 1),
		"number": strings.Replace(good, `"7"`, `7`, 1), "null facts": strings.Replace(good, `{"dataset":"public.Kunden","rows":"7","system":"shop"}`, "null", 1),
		"order": strings.Replace(good, `"rows":"7","system":"shop"`, `"system":"shop","rows":"7"`, 1), "time": strings.Replace(good, ".000000Z", "Z", 1),
		"zone": strings.Replace(good, ".000000Z", ".000000+00:00", 1), "missing": strings.Replace(good, `,"tenant":"acme"`, "", 1), "cut": good[:len(good)-1], "empty": "",
	} {
		if bad == good {
			t.Fatalf("%s changes nothing", name)
		}
		if e, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s decodes to %+v", name, e)
		}
	}
}
