package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// Change is one difference between two versions of a policy. From or To is "" where a path was added or removed.
type Change struct {
	Path string `json:"path"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Digest gives the SHA-256, in lower case hex, of what the policy promises. Comments, order of keys and defaults
// that are written out do not change it.
func (p *Policy) Digest() string {
	sum := sha256.Sum256(p.canonical())
	return hex.EncodeToString(sum[:])
}

// canonical is JSON with sorted keys and with everything left out that has no effect.
func (p *Policy) canonical() []byte {
	c := *p
	c.Categories = map[string]Category{}
	for name, cat := range p.Categories {
		if cat.Retention != nil {
			r := *cat.Retention
			r.Keep.Cases = slices.SortedFunc(slices.Values(r.Keep.Cases), func(a, b KeepCase) int { return cmp.Compare(a.Value, b.Value) })
			cat.Retention = &r
		}
		c.Categories[name] = cat
	}
	b, err := json.Marshal(&c)
	if err != nil {
		panic("policy: " + err.Error()) // texts, numbers and maps of them always marshal
	}
	return b
}

// Compare lists what differs between two versions, sorted by path. old may be nil: everything was added.
func Compare(old, next *Policy) []Change {
	from, to := flat(old), flat(next)
	paths := map[string]bool{}
	for k := range from {
		paths[k] = true
	}
	for k := range to {
		paths[k] = true
	}
	var out []Change
	for _, path := range keysOf(paths) {
		if from[path] != to[path] {
			out = append(out, Change{Path: path, From: from[path], To: to[path]})
		}
	}
	return out
}

// flat gives every single value of a policy by its path; a list of texts is one value.
func flat(p *Policy) map[string]string {
	out := map[string]string{}
	if p == nil {
		return out
	}
	var tree any
	if err := json.Unmarshal(p.canonical(), &tree); err != nil {
		panic("policy: " + err.Error()) // it was marshaled a moment ago
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, child := range v {
				walk(join(path, k), child)
			}
		case []any:
			texts := make([]string, len(v))
			for i, item := range v {
				s, ok := item.(string)
				if !ok {
					walk(indexed(path, i), item)
					continue
				}
				texts[i] = s
			}
			if all := strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), ", "); all != "" {
				out[path] = all
			}
		case string:
			out[path] = v
		default:
			b, err := json.Marshal(v)
			if err != nil {
				panic("policy: " + err.Error())
			}
			out[path] = string(b)
		}
	}
	walk("", tree)
	return out
}
