package export

import (
	"archive/zip"
	"encoding/binary"
	"math"
	"time"
)

// rawFile is the head of a file that comes compressed, as archive/zip writes it of those that it compresses itself.
func rawFile(name string, modified time.Time) *zip.FileHeader {
	f := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: modified, Flags: flagDescriptor, CreatorVersion: 20, ReaderVersion: 20}
	day := modified.Day() + int(modified.Month())<<5 + (modified.Year()-1980)<<9
	second := modified.Second()/2 + modified.Minute()<<5 + modified.Hour()<<11
	f.ModifiedDate, f.ModifiedTime = uint16(day), uint16(second)                                                     //nolint:gosec,staticcheck // APPNOTE 4.4.6: 16 bits, from 1980 to 2107; CreateRaw writes these and not Modified
	f.Extra = append([]byte{0x55, 0x54, 5, 0, 1}, binary.LittleEndian.AppendUint32(nil, uint32(modified.Unix()))...) //nolint:gosec // Info-ZIP's extended timestamp has 32 bits
	return f
}

// setSizes says what is known once the file is through; the ZIP's writer puts it behind the file.
func setSizes(f *zip.FileHeader, packed, size int64, crc uint32) {
	f.CRC32, f.CompressedSize64, f.UncompressedSize64 = crc, uint64(packed), uint64(size) //nolint:gosec // counted
	//nolint:gosec,staticcheck // bounded; CreateRaw writes these for files below 4 GiB
	f.CompressedSize, f.UncompressedSize = uint32(min(f.CompressedSize64, math.MaxUint32)), uint32(min(f.UncompressedSize64, math.MaxUint32))
}
