package sqldb

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// plant is one fault: old, which must stand in the file exactly once, becomes wrong.
type plant struct {
	name, file, old, wrong string
}

func plants() []plant {
	const plan = "../../plan/"
	return []plant{
		// plan
		{"a retained row goes a day late", plan + "rules.go", "!until.After(today)", "until.Before(today)"},
		{"the end of the year is forgotten", plan + "rules.go", "if r.YearEnd {", "if false {"},
		{"what a retained row needs goes at once", plan + "rules.go", "return Fate{Action: ActionAnonymize, Until: by.Until, Ground: by.Ground, Because: table}", "return f"},
		{"the earlier of two days counts", plan + "rules.go", "(f.Until.Before(by.Until) && !f.Until.IsZero()) || by.Until.IsZero()", "(by.Until.Before(f.Until) && !f.Until.IsZero()) || by.Until.IsZero()"},
		{"a row kept longer is not kept longer", plan + "rules.go", "f.Until, f.Because = by.Until, table", "_ = table"},
		{"keep is forgotten", plan + "resolve.go", "out.Do = ActionKeep\n\t\tout.Ground", "out.Do = ActionDelete\n\t\tout.Ground"},
		{"with_owner is forgotten", plan + "resolve.go", "out.Follow = append(out.Follow, o.Table)", "_ = out"},
		{"retain is forgotten", plan + "resolve.go", "out.Do = ActionRetain", "out.Do = ActionDelete"},
		{"the date of the row is dropped", plan + "resolve.go", "out.RowDate, out.YearEnd = t.RowDate,", "out.YearEnd = "},
		{"anonymize deletes", plan + "resolve.go", "out.Do = ActionAnonymize", "out.Do = ActionDelete"},
		{"gaps do not refuse", plan + "erase.go", "m.plan.Refusals = append(m.plan.Refusals, f.Gaps...)", "_ = f.Gaps"},
		{"nothing is redacted", plan + "erase.go", "if len(rule.RedactNow) == 0 {", "if true {"},
		{"references of others are not cleared", plan + "erase.go", "m.step(Step{System: system, Table: b.Table, Action: ActionUnlink,", "_ = (Step{System: system, Table: b.Table, Action: ActionUnlink,"},
		{"others' references do not refuse", plan + "erase.go", "say with if_others_refer what becomes of them\", b.Rows, t.Table, b.Table, column)", "say with if_others_refer what becomes of them\", b.Rows, t.Table, b.Table, column)\n\t\t\tm.plan.Refusals = nil"},
		{"the same day has two steps", plan + "erase.go", "out[i].Rows += g.Rows", "_ = g.Rows"},
		// whose row it is
		{"the second owner is forgotten", "select.go", "for _, l := range t.owners {\n\t\tif w.reach[l.to] && !slices", "for _, l := range t.owners[:min(1, len(t.owners))] {\n\t\tif w.reach[l.to] && !slices"},
		{"walk on from what is not owned", "select.go", "w.rows(b, l.to, owned, selection{cols: func(o string) { b.write(b.list(o, l.refs)) }})\n\t\tb.write(\")\")\n\t}\n\tw.writeWhen", "w.rows(b, l.to, reached, selection{cols: func(o string) { b.write(b.list(o, l.refs)) }})\n\t\tb.write(\")\")\n\t}\n\tw.writeWhen"},
		{"when is ignored", "select.go", "for _, c := range when {", "for _, c := range when[:0] {"},
		{"also_from shows what is somebody else's", "select.go", "w.writeLink(b, a, t, l)\n\t\t\t\tb.write(\" AND (\")\n\t\t\t\tw.writeOthers(b, a, t)", "w.writeLink(b, a, t, l)\n\t\t\t\tb.write(\" AND (\")\n\t\t\t\tb.write(\"1 = 0\")"},
		{"also_about is not exported", "select.go", "if in >= reached {", "if false {"},
		{"also_from is not walked", "select.go", "if in >= mine && t != w.home {", "if false {"},
		{"any of a match counts for all", "select.go", "if i > 0 {\n\t\t\tb.write(\" AND \")\n\t\t}\n\t\tcol, _ := t.cat.Column(m.Column)", "if i > 0 {\n\t\t\tb.write(\" OR \")\n\t\t}\n\t\tcol, _ := t.cat.Column(m.Column)"},
		{"a ring is walked once", "ring.go", "if above < 0 {", "if above < 0 || above == i {"},
		{"the key of a table's reference is the primary one", "graph.go", "l.refs = r.To\n", "l.refs = to.cat.PrimaryKey\n"},
		{"identifiers in a table of their own are skipped", "subject.go", "if id.Table != \"\" && id.Table != w.subject.Table {\n\t\t\thome, by", "if id.Table != \"\" && id.Table != w.subject.Table {\n\t\t\tcontinue\n\t\t\thome, by"},
		{"domain_ci ignores the case of all", "subject.go", "return stored[:i] == proven[:j] &&", "return asciiLower(stored[:i]) == asciiLower(proven[:j]) &&"},
		{"ascii_ci minds case", "subject.go", "return asciiLower(stored) == asciiLower(proven)\n\tcase", "return stored == proven\n\tcase"},
		{"an identifier's own table is forgotten", "subject.go", "if w.matches(t) || w.identifies(t) ||", "if w.matches(t) ||"},
		{"a key with a separator comes apart", "subject.go", "if strings.ContainsAny(part, \"\\x1e\\x1f\") {", "if false && part != \"\" {"},
		{"an empty key is no key", "stream.go", "return nullPart // the empty text may be a key", "return \"\""},
		{"a reference is compared as text", "stream.go", "if len(p.when) > 0 || !sameSet(p.refs, p.to.keys) {\n\t\treturn false\n\t}", "if len(p.when) == 0 && sameSet(p.refs, p.to.keys) {\n\t\treturn true\n\t}\n\tif true {\n\t\treturn false\n\t}"},
		// what becomes of it
		{"a shared row goes", "fate.go", "if co[key] && goes(x) {", "if false {"},
		{"what hangs on a shared row goes", "fate.go", "moved = moved || a || b", "_ = b\n\t\tmoved = moved || a"},
		{"what follows is not followed again", "fate.go", "if held == nil || len(f.rule(t).Follow) == 0 {", "if true {"},
		{"one pass settles everything", "fate.go", "if moved, err = f.settle(ctx); err != nil {\n\t\t\treturn err\n\t\t}", "if _, err = f.settle(ctx); err != nil {\n\t\t\treturn err\n\t\t}\n\t\tmoved = false"},
		{"chains within a table are not followed", "fate.go", "for again := true; again; {", "for again := false; again; {"},
		{"what stays for good keeps nothing", "fate.go", "x.Action == plan.ActionAnonymize && x.Until.IsZero(), x.Action == plan.ActionKeep:", "x.Action == plan.ActionKeep:\n\t\treturn x, false\n\tcase false:"},
		{"what cannot go on its day is not seen", "fate.go", "\tf.stuckGaps()\n", "\t_ = f.stuckGaps\n"},
		{"others' rows are not looked for", "others.go", "if f.ownsAll(e) {", "if true {"},
		{"the owner's rows are others'", "others.go", "return e.owns && e.from != e.to && e.from != f.w.home && f.w.reach[e.from] && len(e.to.alsoFrom) == 0", "return e.owns"},
		{"the person's own rows are others'", "others.go", "return m + \".k0 IS NULL\"", "return \"\""},
		{"keep is not kept", "others.go", "case others == datamap.OthersKeep && x.Action != plan.ActionKeep:", "case false:"},
		{"own references stay in the way", "others.go", "if !e.clear || !e.nullable || f.held[e.from] == nil {", "if true {"},
		// export
		{"hidden rows are not told", "locate.go", "if len(t.alsoFrom) == 0 || t == w.home {", "if true {"},
		{"columns that are to be hidden are shown", "collect.go", "show = t.entry.Columns[c.Name].Export", "_ = show"},
		{"only what is owned is exported", "collect.go", "w.rows(b, t, reached, selection{order: true,", "w.rows(b, t, owned, selection{order: true,"},
		// erasure
		{"the guard is not asked", "erase.go", "if e.guard == nil {", "if true {"},
		{"the eraser deletes all but the last", "erase.go", "for _, batch := range batches(once, size) {", "for _, batch := range batches(once[:len(once)/2], size) {"},
		{"references within a ring are not cleared", "erase.go", "for _, dt := range e.detachments(i) {\n\t\t\t\tif err", "for _, dt := range e.detachments(i)[:0] {\n\t\t\t\tif err"},
		{"references are cleared but for one column", "edge.go", "out = append(out, c)\n\t\t}\n\t}\n\treturn out", "out = append(out[:0], c)\n\t\t}\n\t}\n\treturn out"},
		{"columns that are not personal are anonymized", "anonymize.go", "case rule.Personal != nil && !*rule.Personal:", "case false:"},
		{"keys are anonymized", "anonymize.go", "case left[c.Name] && !asked:", "case left[c.Name] && false:"},
		{"the key is cut off a unique value", "anonymize.go", "value += \"-{key}\"", "value += \"\""},
		{"a cut loses the key", "anonymize.go", "expr = di.right(\"(\"+expr+\")\", x.col.Length)", "expr = \"substr(\" + expr + \", 1, \" + itoa(x.col.Length) + \")\""},
	}
}

// TestPlantedFaults proves that TestOracle can go red: each fault is planted in a copy of one source file, and the
// cases must notice. One that no longer fits its file is stale and to be written anew. One is tried in
// every run; HABEAS_SOAK=1 tries them all.
func TestPlantedFaults(t *testing.T) {
	all := plants()
	if len(all) < 40 {
		t.Errorf("%d faults: at least 40 are promised", len(all))
	}
	for _, p := range all {
		raw, err := os.ReadFile(p.file)
		must(t, err)
		if n := strings.Count(string(raw), p.old); n != 1 {
			t.Errorf("%s: %q stands %d times in %s: the list of faults is stale", p.name, p.old, n, p.file)
			continue
		}
		if only := os.Getenv("ORACLE_FAULT"); only != "" && !strings.Contains(p.name, only) {
			continue
		} else if only == "" && os.Getenv("HABEAS_SOAK") != "1" && p.name != "when is ignored" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.try(t, string(raw))
		})
	}
}

func (p plant) try(t *testing.T, source string) {
	dir := t.TempDir()
	edited := filepath.Join(dir, filepath.Base(p.file))
	must(t, os.WriteFile(edited, []byte(strings.Replace(source, p.old, p.wrong, 1)), 0o600))
	original, err := filepath.Abs(p.file)
	must(t, err)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: edited}})
	must(t, err)
	file := filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(file, overlay, 0o600))
	binary := filepath.Join(dir, "faulty.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", file, "-o", binary, ".") //nolint:gosec // paths of this test
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the fault does not build: %v\n%s", err, out)
	}
	run := exec.Command(binary, "-test.run", "^TestOracle$/^sqlite$", "-test.count=1") //nolint:gosec // see above
	run.Env = append(os.Environ(), "ORACLE_CASES=600", "ORACLE_SEED=0", "ORACLE_FIRST=1")
	out, err := run.CombinedOutput()
	if err == nil {
		t.Error("nothing noticed it")
	} else if !strings.Contains(string(out), "disagree") && !strings.Contains(string(out), "panic") {
		t.Errorf("the run ended, and not for the fault: %s", out[:min(len(out), 2000)])
	}
}
