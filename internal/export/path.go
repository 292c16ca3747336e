package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// paths gives each collection a file name that is safe on every file system and that no other one has.
type paths struct{ used map[string]bool }

// maxSegment is the longest part of a path in bytes, with room for the endings.
const maxSegment = 120

// of gives `<system>/<collection>`. Names that are safe stay as they are. In others, and in those that differ from
// one already given by the case of letters alone (a file system that folds case would let one overwrite the other),
// bytes are percent-encoded.
func (p *paths) of(system, collection string) string {
	for _, encode := range []func(string) string{segment, segmentAll} {
		path := segment(system) + "/" + encode(collection)
		if p.take(path) {
			return path
		}
	}
	// Another system's name differs by case alone: it is told apart instead.
	path := segmentAll(system) + "/" + segmentAll(collection)
	p.take(path)
	return path
}

func (p *paths) take(path string) bool {
	if p.used == nil {
		p.used = map[string]bool{}
	}
	folded := strings.ToLower(path)
	if p.used[folded] {
		return false
	}
	p.used[folded] = true
	return true
}

// segment percent-encodes what is not safe in a file name.
func segment(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		safe := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' ||
			c == '.' && i > 0 && i < len(name)-1 && name[i-1] != '.'
		if i == 0 && reserved(name) {
			safe = false
		}
		if safe {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return short(b.String(), name)
}

// segmentAll percent-encodes every byte.
func segmentAll(name string) string {
	var b strings.Builder
	for i := range len(name) {
		fmt.Fprintf(&b, "%%%02X", name[i])
	}
	return short(b.String(), name)
}

// reserved tells whether Windows keeps a name for a device, whatever its ending.
func reserved(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '0' && base[3] <= '9'
}

// short cuts a name that is too long; a hash keeps it its own.
func short(encoded, name string) string {
	if encoded == "" {
		return "%"
	}
	if len(encoded) <= maxSegment {
		return encoded
	}
	sum := sha256.Sum256([]byte(name))
	return encoded[:maxSegment-18] + "~" + hex.EncodeToString(sum[:8])
}
