package sqldb

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"github.com/habeas-data/habeas/internal/connector"
)

// digest is the sum modulo 2^256 of the keyed hashes of keys: the order of rows does not matter, a row more or less
// or another one does.
type digest [4]uint64

func (d *digest) add(h [32]byte) {
	var carry uint64
	for i := range d {
		d[i], carry = bits.Add64(d[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
	}
}

func (d digest) String() string {
	var raw [32]byte
	for i, v := range d {
		binary.LittleEndian.PutUint64(raw[8*i:], v)
	}
	return hex.EncodeToString(raw[:])
}

// encodeKey writes table and key so that no two rows share an encoding: each part has its length before it.
func encodeKey(buf []byte, table string, key connector.Key) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(table)))
	buf = append(buf, table...)
	for _, p := range key {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	return buf
}
