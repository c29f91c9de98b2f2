package cuda

import (
	"slices"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// piece is a buffer on the device that grows when it must.
type piece struct {
	at   driver.Memory
	room int
}

// memory is all buffers of an engine.
type memory struct {
	d      *driver.Device
	pieces []*piece
}

// fit makes room for n bytes in p; what was in it is lost if it grows.
func (m *memory) fit(p *piece, n int) error {
	if n > p.room {
		m.d.Free(p.at)
		p.at, p.room = driver.Memory{}, 0
		at, err := m.d.Alloc(n)
		if err != nil {
			return err
		}
		p.at, p.room = at, n
		m.pieces = append(m.pieces, p)
	}
	p.at.Bytes = n
	return nil
}

// fits is fit for several.
func (m *memory) fits(all ...any) error {
	for i := 0; i < len(all); i += 2 {
		if err := m.fit(all[i].(*piece), all[i+1].(int)); err != nil {
			return err
		}
	}
	return nil
}

// freeAll frees everything.
func (m *memory) freeAll() {
	for _, p := range m.pieces {
		m.d.Free(p.at)
		*p = piece{}
	}
	m.pieces = nil
}

// sums are numbers that a step leaves as arrays of float64, to be summed on
// the device and downloaded at once.
type sums struct {
	words  []uint64 // address and length of each array
	sent   []uint64 // what the device has of words
	table  piece
	out    piece
	values []float64
}

// begin forgets the arrays of the last step.
func (s *sums) begin() { s.words = s.words[:0] }

// add adds an array of n numbers and returns its place among the sums, from 1.
func (s *sums) add(at driver.Memory, n int) int {
	s.words = append(s.words, at.Address, uint64(n))
	return len(s.words) / 2
}

// queue sums up. With a history the sums are also written to its row now.
func (s *sums) queue(set *kernels.Set, m *memory, history, now driver.Memory) error {
	if !slices.Equal(s.words, s.sent) {
		if err := m.fits(&s.table, 8*len(s.words), &s.out, 4*len(s.words)); err != nil {
			return err
		}
		if err := set.UploadWords(s.table.at, s.words); err != nil {
			return err
		}
		s.sent = append(s.sent[:0], s.words...)
	}
	return set.SumArrays(s.out.at, s.table.at, len(s.words)/2, history, now)
}

// fetch downloads the sums and waits.
func (s *sums) fetch(set *kernels.Set) error {
	n := len(s.words) / 2
	for len(s.values) < n {
		s.values = append(s.values, 0)
	}
	if err := set.DownloadDoubles(s.values[:n], s.out.at); err != nil {
		return err
	}
	return set.Finish()
}
