package server

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// capture redirects the standard output and error of the process to pipes and
// reads them.
type capture struct {
	stderr  *os.File // what the standard error was before
	restore func()
	pipes   []*pipe
	once    sync.Once
}

// pipe is one redirected stream.
type pipe struct {
	name string
	r, w *os.File
	mark []byte // what sync writes into the pipe: nothing else holds it

	mu      sync.Mutex
	next    int
	waiting map[int]chan struct{}
	done    chan struct{}
	started bool
}

// syncLimit is how long sync waits for the reader.
const syncLimit = 5 * time.Second

func newPipe(name string, r, w *os.File) *pipe {
	secret := make([]byte, 12)
	rand.Read(secret)
	return &pipe{
		name: name, r: r, w: w, mark: []byte("\x00\x01chest:" + hex.EncodeToString(secret) + ":"),
		waiting: map[int]chan struct{}{}, done: make(chan struct{}),
	}
}

// start begins to read, and gives every piece of text to take.
func (c *capture) start(take func(name string, p []byte)) {
	for _, p := range c.pipes {
		p.started = true
		go p.read(take)
	}
}

// sync waits until everything that was written to the streams before is read.
func (c *capture) sync() {
	for _, p := range c.pipes {
		p.sync()
	}
}

// close gives the streams back and ends the readers.
func (c *capture) close() {
	c.once.Do(func() {
		c.sync()
		c.restore()
		for _, p := range c.pipes {
			p.w.Close()
			if p.started {
				select {
				case <-p.done:
				case <-time.After(200 * time.Millisecond): // a child process holds the other end
				}
			}
			p.r.Close()
		}
	})
}

// sync writes a mark into the pipe and waits until it comes out.
func (p *pipe) sync() {
	if !p.started {
		return
	}
	p.mu.Lock()
	n := p.next
	p.next++
	out := make(chan struct{})
	p.waiting[n] = out
	p.mu.Unlock()
	fmt.Fprintf(p.w, "%s%08x", p.mark, uint32(n))
	t := time.NewTimer(syncLimit)
	defer t.Stop()
	select {
	case <-out:
	case <-p.done:
	case <-t.C:
	}
}

// read reads the pipe to its end.
func (p *pipe) read(take func(name string, p []byte)) {
	defer close(p.done)
	buf := make([]byte, 64<<10)
	var held []byte // the begin of what may be a mark
	for {
		n, err := p.r.Read(buf)
		held = append(held, buf[:n]...)
		held = p.pass(held, take)
		if err != nil {
			if err == io.EOF {
				take(p.name, held)
			}
			return
		}
	}
}

// pass gives text to take and answers the marks in it. It returns the end of
// text that may be the begin of a mark.
func (p *pipe) pass(text []byte, take func(name string, p []byte)) []byte {
	size := len(p.mark) + 8
	for {
		i := bytes.Index(text, p.mark)
		if i < 0 {
			break
		}
		take(p.name, text[:i])
		if len(text) < i+size {
			return append([]byte(nil), text[i:]...)
		}
		var n uint32
		fmt.Sscanf(string(text[i+len(p.mark):i+size]), "%x", &n)
		p.mu.Lock()
		if out := p.waiting[int(n)]; out != nil {
			close(out)
			delete(p.waiting, int(n))
		}
		p.mu.Unlock()
		text = text[i+size:]
	}
	keep := overlap(text, p.mark)
	take(p.name, text[:len(text)-keep])
	return append([]byte(nil), text[len(text)-keep:]...)
}

// overlap is the length of the longest end of text that mark begins with.
func overlap(text, mark []byte) int {
	for n := min(len(text), len(mark)-1); n > 0; n-- {
		if bytes.HasPrefix(mark, text[len(text)-n:]) {
			return n
		}
	}
	return 0
}
