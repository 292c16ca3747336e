package export

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
)

// keySum is the sum modulo 2^256 of the hashes of keys, each read as a little-endian number: the form of a plan's
// digests. The order of rows does not matter; a row more, less or another one does.
type keySum [4]uint64

func (k *keySum) add(h [32]byte) {
	var carry uint64
	for i := range k {
		k[i], carry = bits.Add64(k[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
	}
}

// String gives 64 hex digits.
func (k *keySum) String() string {
	var raw [32]byte
	for i, v := range k {
		binary.LittleEndian.PutUint64(raw[8*i:], v)
	}
	return hex.EncodeToString(raw[:])
}

// appendKey writes a row's key as plans hash it: the table's name and each part of the key, its length before it.
func appendKey(buf []byte, table string, key []string) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(table)))
	buf = append(buf, table...)
	for _, part := range key {
		buf = binary.AppendUvarint(buf, uint64(len(part)))
		buf = append(buf, part...)
	}
	return buf
}
