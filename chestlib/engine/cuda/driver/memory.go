package driver

import (
	"errors"
	"fmt"
	"math/bits"
	"unsafe"
)

// Memory is a piece of the device's memory. The zero value is none.
type Memory struct {
	Address uint64 // on the device
	Bytes   int    // as asked for
}

// At is the memory from byte offset on.
func (m Memory) At(offset int) Memory { return Memory{m.Address + uint64(offset), m.Bytes - offset} }

// Usage is the device's memory in bytes: handed out, kept for the next Alloc,
// the most that was handed out, and the number of pieces that are out.
type Usage struct {
	Live, Cached, Peak int
	Pieces             int
}

// arena keeps freed memory by size class: cuMemAlloc waits for the device and
// is slow.
type arena struct {
	exact bool // no classes and no cache: a write past the end is then found by tools
	free  map[int][]uint64
	sizes map[uint64]int
	usage Usage
}

// class rounds a size up to one of eight between powers of two, from 256 bytes on.
func class(n int) int {
	n = max(n, 256)
	step := max(256, 1<<max(bits.Len(uint(n-1))-4, 0))
	return (n + step - 1) / step * step
}

// Alloc returns n bytes with arbitrary contents. A full device frees what
// is kept and is asked once more.
func (d *Device) Alloc(n int) (Memory, error) {
	if n <= 0 {
		return Memory{}, nil
	}
	size := n
	if !d.arena.exact {
		size = class(n)
	}
	a := &d.arena
	if a.free == nil {
		a.free, a.sizes = map[int][]uint64{}, map[uint64]int{}
	}
	var at uint64
	if list := a.free[size]; len(list) > 0 {
		at, a.free[size] = list[len(list)-1], list[:len(list)-1]
		a.usage.Cached -= size
	} else {
		err := d.lib.call(cuMemAlloc, uintptr(unsafe.Pointer(&at)), uintptr(size))
		var e *Error
		if errors.As(err, &e) && e.Code == codeOutOfMemory {
			a.trim(d)
			err = d.lib.call(cuMemAlloc, uintptr(unsafe.Pointer(&at)), uintptr(size))
			if errors.As(err, &e) && e.Code == codeOutOfMemory {
				e.Detail = d.shortage(n)
			}
		}
		if err != nil {
			return Memory{}, err
		}
	}
	a.sizes[at] = size
	a.usage.Live += size
	a.usage.Pieces++
	a.usage.Peak = max(a.usage.Peak, a.usage.Live)
	return Memory{at, n}, nil
}

// shortage says how much was needed and how much there is.
func (d *Device) shortage(n int) string {
	var free, total uint64
	if err := d.lib.call(cuMemGetInfo, uintptr(unsafe.Pointer(&free)), uintptr(unsafe.Pointer(&total))); err != nil {
		return fmt.Sprintf("%d MB needed", n>>20)
	}
	return fmt.Sprintf("%d MB needed, %d of %d MB free, %d MB in use here", n>>20, free>>20, total>>20, d.arena.usage.Live>>20)
}

// Free gives memory back; freeing none does nothing. Work that is queued may
// still use it: what Alloc hands out again is used after it, on the same stream.
func (d *Device) Free(m Memory) {
	if m.Address == 0 {
		return
	}
	a := &d.arena
	size, ok := a.sizes[m.Address]
	if !ok {
		panic("cuda: Free of memory that is not handed out")
	}
	delete(a.sizes, m.Address)
	a.usage.Live -= size
	a.usage.Pieces--
	if a.exact {
		d.release(m.Address)
		return
	}
	a.free[size] = append(a.free[size], m.Address)
	a.usage.Cached += size
}

func (d *Device) release(at uint64) {
	if err := d.lib.call(cuMemFree, uintptr(at)); err != nil {
		_ = d.note(err) // the next call tells of a lost context; other failures have no remedy
	}
}

// trim frees what is kept.
func (a *arena) trim(d *Device) {
	for size, list := range a.free {
		for _, at := range list {
			d.release(at)
		}
		delete(a.free, size)
	}
	a.usage.Cached = 0
}

// Usage returns the state of the device's memory.
func (d *Device) Usage() Usage { return d.arena.usage }

// staging is pinned memory that copies pass through: a copy in the stream's
// order must not touch Go's memory, which the copy would outlive.
type staging struct {
	at       uintptr
	size     int
	used     int     // by copies that are queued
	awaiting []fetch // downloads to hand out after the next wait
}

// mostStaged is the most that is copied at once, in bytes.
const mostStaged = 8 << 20

// fetch is a download whose bytes lie in the staging memory.
type fetch struct {
	to   unsafe.Pointer
	from uintptr
	n    int
}

// bytesAt is memory outside of Go as a slice.
func bytesAt(at uintptr, n int) []byte { return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n) }

// reserve returns the place of n bytes in staging memory, after a wait if it is
// full.
func (d *Device) reserve(n int) (uintptr, error) {
	s := &d.staging
	const line = 256
	if s.used+n > s.size {
		if err := d.Finish(); err != nil {
			return 0, err
		}
		if n > s.size {
			s.free(d)
			size := max(class(2*n), 1<<20)
			if err := d.lib.call(cuMemHostAlloc, uintptr(unsafe.Pointer(&s.at)), uintptr(size), 0); err != nil {
				return 0, err
			}
			s.size = size
		}
	}
	at := s.at + uintptr(s.used)
	s.used += (n + line - 1) / line * line
	return at, nil
}

func (s *staging) free(d *Device) {
	if s.size > 0 {
		_ = d.lib.call(cuMemFreeHost, s.at) // nothing can be done about it
		*s = staging{}
	}
}

// Finish waits for all that was queued and writes downloads to where they go.
func (d *Device) Finish() error {
	if err := d.Wait(); err != nil {
		return err
	}
	s := &d.staging
	for _, f := range s.awaiting {
		copy(unsafe.Slice((*byte)(f.to), f.n), bytesAt(f.from, f.n))
	}
	clear(s.awaiting)
	s.awaiting, s.used = s.awaiting[:0], 0
	return nil
}

// upload queues a copy of n bytes to m.
func (d *Device) upload(m Memory, from unsafe.Pointer, n int) error {
	if n > m.Bytes {
		panic(fmt.Sprintf("cuda: upload of %d bytes into %d", n, m.Bytes))
	}
	for n > mostStaged { // large arrays go in parts
		if err := d.upload(m, from, mostStaged); err != nil {
			return err
		}
		m, from, n = m.At(mostStaged), unsafe.Add(from, mostStaged), n-mostStaged
	}
	if n == 0 {
		return nil
	}
	at, err := d.reserve(n)
	if err != nil {
		return err
	}
	copy(bytesAt(at, n), unsafe.Slice((*byte)(from), n))
	d.counts.Uploads++
	d.counts.UpBytes += n
	return d.lib.call(cuMemcpyHtoDAsync, uintptr(m.Address), at, uintptr(n), d.stream)
}

// download queues a copy of n bytes of m, which Finish completes.
func (d *Device) download(to unsafe.Pointer, m Memory, n int) error {
	if n > m.Bytes {
		panic(fmt.Sprintf("cuda: download of %d bytes from %d", n, m.Bytes))
	}
	for n > mostStaged {
		if err := d.download(to, m, mostStaged); err != nil {
			return err
		}
		to, m, n = unsafe.Add(to, mostStaged), m.At(mostStaged), n-mostStaged
	}
	if n == 0 {
		return nil
	}
	at, err := d.reserve(n)
	if err != nil {
		return err
	}
	d.counts.Downloads++
	d.counts.DownBytes += n
	d.staging.awaiting = append(d.staging.awaiting, fetch{to, at, n})
	return d.lib.call(cuMemcpyDtoHAsync, at, uintptr(m.Address), uintptr(n), d.stream)
}

// UploadFloats queues a copy of x to m. x may be changed at once.
func (d *Device) UploadFloats(m Memory, x []float32) error {
	return d.upload(m, unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))
}

// UploadInts queues a copy of x to m.
func (d *Device) UploadInts(m Memory, x []int32) error {
	return d.upload(m, unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))
}

// UploadDoubles queues a copy of x to m.
func (d *Device) UploadDoubles(m Memory, x []float64) error {
	return d.upload(m, unsafe.Pointer(unsafe.SliceData(x)), 8*len(x))
}

// UploadWords queues a copy of x to m: addresses and sizes in tables.
func (d *Device) UploadWords(m Memory, x []uint64) error {
	return d.upload(m, unsafe.Pointer(unsafe.SliceData(x)), 8*len(x))
}

// DownloadFloats queues a copy of m to x, which has it after Finish.
func (d *Device) DownloadFloats(x []float32, m Memory) error {
	return d.download(unsafe.Pointer(unsafe.SliceData(x)), m, 4*len(x))
}

// DownloadInts queues a copy of m to x, which has it after Finish.
func (d *Device) DownloadInts(x []int32, m Memory) error {
	return d.download(unsafe.Pointer(unsafe.SliceData(x)), m, 4*len(x))
}

// DownloadDoubles queues a copy of m to x, which has it after Finish.
func (d *Device) DownloadDoubles(x []float64, m Memory) error {
	return d.download(unsafe.Pointer(unsafe.SliceData(x)), m, 8*len(x))
}

// Clear queues zeros for the first n bytes of m, a multiple of 4.
func (d *Device) Clear(m Memory, n int) error {
	if n > m.Bytes || n%4 != 0 {
		panic(fmt.Sprintf("cuda: Clear of %d bytes of %d", n, m.Bytes))
	}
	if n == 0 {
		return nil
	}
	return d.lib.call(cuMemsetD32Async, uintptr(m.Address), 0, uintptr(n/4), d.stream)
}

// Copy queues a copy of n bytes on the device.
func (d *Device) Copy(to, from Memory, n int) error {
	if n > to.Bytes || n > from.Bytes {
		panic(fmt.Sprintf("cuda: copy of %d bytes from %d to %d", n, from.Bytes, to.Bytes))
	}
	if n == 0 {
		return nil
	}
	return d.lib.call(cuMemcpyDtoDAsync, uintptr(to.Address), uintptr(from.Address), uintptr(n), d.stream)
}
