package export

import (
	"encoding/binary"
	"encoding/hex"
	"math/big"
)

// keySum is the sum modulo 2^256 of the hashes of keys, each read as a little-endian number: the form of a plan's
// digests. The order of rows does not matter; a row more, less or another one does.
type keySum struct{ sum big.Int }

func (k *keySum) add(h [32]byte) {
	for i, j := 0, len(h)-1; i < j; i, j = i+1, j-1 {
		h[i], h[j] = h[j], h[i]
	}
	var n big.Int
	k.sum.Add(&k.sum, n.SetBytes(h[:]))
	if k.sum.BitLen() > 256 {
		k.sum.SetBit(&k.sum, 256, 0)
	}
}

// String gives 64 hex digits.
func (k *keySum) String() string {
	raw := k.sum.FillBytes(make([]byte, 32))
	for i, j := 0, len(raw)-1; i < j; i, j = i+1, j-1 {
		raw[i], raw[j] = raw[j], raw[i]
	}
	return hex.EncodeToString(raw)
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
