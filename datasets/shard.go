package datasets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime/debug"

	"github.com/chestlab/chest/datasets/transform"
)

// A shard is a file of decoded pictures, little-endian:
//
//	pictures  w×h×3 bytes each, one after the other; for a damaged file the text why
//	table     for each: offset 8, w 4, h 4, length 4, CRC 4; w and h are 0 for damage
//	foot      magic 8, version 4, number 4, count 4, CRC of table and foot 4, offset of the table 8, key 32
//
// CRCs are CRC-32C. The table stands behind the pictures so that the file is
// written in one go.
type shard struct {
	shardHead
	size    int64
	entries []shardEntry
	why     map[int]string // of damaged files
	pages   *pages
}

// shardHead says which part of which cache a shard is.
type shardHead struct {
	key           [32]byte
	number, count uint32
}

type shardEntry struct {
	offset       int64
	w, h, length uint32
	sum          uint32
}

const (
	shardMagic   = "chestpix"
	shardVersion = 1
	footSize     = 64
	entrySize    = 24
	maxReason    = 1000 // bytes of the text of a damaged file
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// trailer is table and foot of a shard whose pictures end at offset.
func (h shardHead) trailer(entries []shardEntry, offset int64) []byte {
	var b []byte
	le := binary.LittleEndian
	for _, e := range entries {
		b = le.AppendUint64(b, uint64(e.offset))
		for _, v := range []uint32{e.w, e.h, e.length, e.sum} {
			b = le.AppendUint32(b, v)
		}
	}
	b = append(b, shardMagic...)
	for _, v := range []uint32{shardVersion, h.number, h.count, 0} {
		b = le.AppendUint32(b, v)
	}
	b = le.AppendUint64(b, uint64(offset))
	b = append(b, h.key[:]...)
	le.PutUint32(b[len(b)-44:], crc32.Checksum(b, castagnoli))
	return b
}

// openShard opens a shard and checks its foot and table; the pictures are
// checked when they are read.
func openShard(path string, want shardHead) (*shard, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	s := &shard{shardHead: want, size: st.Size(), pages: newPages(f, st.Size())}
	if err := s.readTable(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// readTable reads the end of the file and compares it with what it should be.
func (s *shard) readTable() error {
	n := int64(s.count)*entrySize + footSize
	if s.size < n {
		return errors.New("it is cut short")
	}
	b := make([]byte, n)
	if err := s.pages.read(b, s.size-n); err != nil {
		return err
	}
	for i := range int(s.count) {
		le, e := binary.LittleEndian, b[i*entrySize:]
		s.entries = append(s.entries, shardEntry{int64(le.Uint64(e)), le.Uint32(e[8:]), le.Uint32(e[12:]), le.Uint32(e[16:]), le.Uint32(e[20:])})
	}
	if string(b) != string(s.trailer(s.entries, s.size-n)) {
		return errors.New("its end is not that of this cache")
	}
	return s.readReasons(s.size - n)
}

// readReasons checks where the entries lie and reads the texts among them.
func (s *shard) readReasons(end int64) error {
	s.why = make(map[int]string)
	for i, e := range s.entries {
		if e.offset < 0 || e.offset > end || int64(e.length) > end-e.offset {
			return fmt.Errorf("picture %d lies outside", i)
		}
		if e.w > 0 && e.h > 0 {
			if uint64(e.length) != 3*uint64(e.w)*uint64(e.h) {
				return fmt.Errorf("picture %d of %d×%d has %d bytes", i, e.w, e.h, e.length)
			}
			continue
		}
		if e.w != e.h || e.length < 1 || e.length > maxReason {
			return fmt.Errorf("entry %d is neither a picture nor a text", i)
		}
		text := make([]byte, e.length)
		if err := s.readChecked(text, e); err != nil {
			return err
		}
		s.why[i] = string(text)
	}
	return nil
}

// reason is why file i could not be decoded; "" if it could.
func (s *shard) reason(i int) string { return s.why[i] }

// picture is picture i, in memory of its own, its checksum checked.
func (s *shard) picture(i int) (transform.RGB, error) {
	e := s.entries[i]
	if e.w == 0 {
		return transform.RGB{}, errors.New(s.why[i])
	}
	m := transform.NewRGB(int(e.w), int(e.h))
	return m, s.readChecked(m.Pix, e)
}

func (s *shard) readChecked(b []byte, e shardEntry) error {
	if err := s.pages.read(b, e.offset); err != nil {
		return err
	}
	if crc32.Checksum(b, castagnoli) != e.sum {
		return errors.New("wrong checksum")
	}
	return nil
}

func (s *shard) close() error { return s.pages.close() }

// pages reads a file, mapped into memory where the system can do it.
type pages struct {
	f      *os.File // nil if mapped
	mapped []byte
}

// newPages takes f over.
func newPages(f *os.File, n int64) *pages {
	if n > 0 {
		if b, err := mapFile(f, n); err == nil {
			f.Close()
			return &pages{mapped: b}
		}
	}
	return &pages{f: f}
}

func (p *pages) read(b []byte, offset int64) error {
	if p.f != nil {
		_, err := io.ReadFull(io.NewSectionReader(p.f, offset, int64(len(b))), b)
		return err
	}
	if offset < 0 || offset > int64(len(p.mapped))-int64(len(b)) {
		return io.ErrUnexpectedEOF
	}
	return copyMapped(b, p.mapped[offset:])
}

// copyMapped copies from a mapped file. If that was cut short since, or its disk
// fails, touching it is a fault, which would end the program.
func copyMapped(dst, src []byte) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file cannot be read any more: %v", p)
		}
	}()
	copy(dst, src)
	return nil
}

func (p *pages) close() error {
	if p.f != nil {
		return p.f.Close()
	}
	b := p.mapped
	p.mapped = nil
	return unmapFile(b)
}
