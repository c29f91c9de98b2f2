//go:build unix

package worker

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// raw reads a descriptor of the worker.
type raw struct {
	f    *os.File
	take func([]byte)

	mu    sync.Mutex
	fd    int
	ended bool
	buf   []byte
}

func newRaw(f *os.File, take func([]byte)) *raw {
	r := &raw{f: f, take: take, fd: -1, buf: make([]byte, 64<<10)}
	if c, err := f.SyscallConn(); err == nil {
		c.Control(func(fd uintptr) { r.fd = int(fd) })
	}
	unix.SetNonblock(r.fd, true)
	widen(r.fd)
	return r
}

// run reads until the end of the pipe or close.
func (r *raw) run() {
	c, err := r.f.SyscallConn()
	if err != nil {
		return
	}
	for ended := false; !ended && err == nil; {
		err = c.Read(func(uintptr) bool {
			var got bool
			got, ended = r.read()
			return got || ended
		})
	}
}

// read takes what is in the pipe. What a process wrote before it sent a frame
// is there when the frame is.
func (r *raw) read() (got, ended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.ended {
		n, err := unix.Read(r.fd, r.buf)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return got, false
		case n <= 0:
			r.ended = true
		default:
			got = true
			r.take(r.buf[:n])
		}
		if n < len(r.buf) && n > 0 {
			return got, false
		}
	}
	return got, true
}

// sync takes what was written before.
func (r *raw) sync() { r.read() }

// close takes what is left and ends run. Another process may hold the other
// end, so there need not be an end of file.
func (r *raw) close() {
	r.read()
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.f.Close() // waits for run, which may be waiting for the lock
}
