//go:build !unix

package worker

import (
	"os"
	"sync"
	"time"
)

// raw reads a descriptor of the worker.
type raw struct {
	f    *os.File
	take func([]byte)
	done chan struct{}

	mu   sync.Mutex
	last time.Time // when something came
}

func newRaw(f *os.File, take func([]byte)) *raw {
	return &raw{f: f, take: take, done: make(chan struct{})}
}

// run reads until the end of the pipe or close.
func (r *raw) run() {
	defer close(r.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := r.f.Read(buf)
		if n > 0 {
			r.mu.Lock()
			r.last = time.Now()
			r.mu.Unlock()
			r.take(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// quiet is how long nothing must come before all is taken to be read: a pipe
// cannot be asked here.
const quiet = 2 * time.Millisecond

// sync waits until nothing more comes.
func (r *raw) sync() {
	for {
		time.Sleep(quiet)
		r.mu.Lock()
		still := time.Since(r.last) >= quiet
		r.mu.Unlock()
		if still {
			return
		}
	}
}

// close ends run.
func (r *raw) close() {
	r.sync()
	r.f.Close()
}
