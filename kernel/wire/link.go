package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// The sockets stand on zmq4's connections and not on its Socket types: a
// Socket there accepts one handshake after the other without a time limit,
// believes any frame length, panics on broken metadata, queues without bound
// for a slow subscriber and forgets its queue when it is closed.

const (
	handshakeLimit = 5 * time.Second  // from the TCP connection to the end of the ZMTP handshake
	stallLimit     = 10 * time.Second // without one byte taken, a peer is given up
	maxMessage     = 256 << 20        // bytes of one message, all frames together
	maxQueue       = 64 << 20         // bytes that wait for one peer before senders wait
	chunk          = 64 << 10
)

// link is one connection to a peer: reads are bounded, writes are queued.
type link struct {
	zmq  *zmq4.Conn
	raw  *guard
	id   string // identity of the peer; "" when it gave none
	done chan struct{}

	mu     sync.Mutex
	change *sync.Cond
	queue  [][][]byte
	bytes  int // in queue and being written
	closed bool
}

// open does the ZMTP handshake on conn. It closes conn when that fails.
func open(conn net.Conn, kind zmq4.SocketType, identity string, server bool) (l *link, err error) {
	raw := &guard{Conn: conn, r: bufio.NewReaderSize(conn, chunk)}
	raw.w = bufio.NewWriterSize(patient{conn}, chunk)
	defer func() {
		if r := recover(); r != nil { // zmq4 indexes into the peer's metadata unchecked
			err = fmt.Errorf("wire: broken handshake: %v", r)
		}
		if err != nil {
			conn.Close()
		}
	}()
	conn.SetDeadline(time.Now().Add(handshakeLimit))
	z, err := zmq4.Open(raw, null.Security(), kind, zmq4.SocketIdentity(identity), server, nil)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	raw.ready = true
	l = &link{zmq: z, raw: raw, id: z.Peer.Meta["Identity"], done: make(chan struct{})}
	l.change = sync.NewCond(&l.mu)
	go l.write()
	return l, nil
}

// receive waits for the next message of the peer.
func (l *link) receive() (frames [][]byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("wire: broken frame: %v", r)
		}
	}()
	m, err := l.zmq.RecvMsg()
	return m.Frames, err
}

// send queues frames for the peer. It waits while more than maxQueue bytes
// are queued, at most until the peer is given up; false means that it is gone.
func (l *link) send(frames [][]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.bytes > maxQueue && !l.closed {
		l.change.Wait()
	}
	if l.closed {
		return false
	}
	l.queue = append(l.queue, frames)
	l.bytes += size(frames)
	l.change.Broadcast()
	return true
}

// write sends what is queued until the link is closed.
func (l *link) write() {
	defer close(l.done)
	for {
		l.mu.Lock()
		for len(l.queue) == 0 && !l.closed {
			l.change.Wait()
		}
		batch := l.queue
		l.queue = nil
		closed := l.closed
		l.mu.Unlock()
		if closed {
			return
		}
		if l.writeAll(batch) != nil {
			l.close()
			return
		}
	}
}

// writeAll sends messages and reports their bytes as sent.
func (l *link) writeAll(batch [][][]byte) error {
	sent := 0
	for _, frames := range batch {
		if err := l.zmq.SendMsg(zmq4.NewMsgFrom(frames...)); err != nil {
			return err
		}
		sent += size(frames)
	}
	if err := l.raw.w.Flush(); err != nil {
		return err
	}
	l.mu.Lock()
	l.bytes -= sent
	l.change.Broadcast()
	l.mu.Unlock()
	return nil
}

// drain waits until all that is queued is sent, or the time is over.
func (l *link) drain(limit time.Duration) {
	t := time.AfterFunc(limit, l.close)
	defer t.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.bytes > 0 && !l.closed {
		l.change.Wait()
	}
}

// close gives the peer up: senders, reader and writer return.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	l.queue, l.bytes = nil, 0
	l.change.Broadcast()
	l.mu.Unlock()
	l.raw.Close()
}

// size is the bytes of a message.
func size(frames [][]byte) int {
	n := 0
	for _, f := range frames {
		n += len(f) + 9
	}
	return n
}

// patient writes in chunks and gives a peer up that takes none for stallLimit.
type patient struct{ net.Conn }

func (p patient) Write(data []byte) (int, error) {
	n := 0
	for n < len(data) {
		p.SetWriteDeadline(time.Now().Add(stallLimit))
		k, err := p.Conn.Write(data[n:min(n+chunk, len(data))])
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// guard is the network connection as zmq4 sees it: buffered both ways, with
// every frame length looked at before zmq4 allocates it.
type guard struct {
	net.Conn
	r     *bufio.Reader
	w     *bufio.Writer
	ready bool // after the handshake writes stay in the buffer until Flush
	watch frameWatch
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if e := g.watch.see(p[:n], g.ready); e != nil {
		return 0, e
	}
	return n, err
}

func (g *guard) Write(p []byte) (int, error) {
	n, err := g.w.Write(p)
	if err == nil && !g.ready {
		err = g.w.Flush()
	}
	return n, err
}

// frameWatch follows the frames of a ZMTP stream.
type frameWatch struct {
	skip    uint64 // bytes of greeting or body still to pass
	greeted bool
	head    [9]byte
	have    int    // bytes of head
	message uint64 // bytes of the message so far
}

// The flags of a ZMTP frame, and what an empty frame counts, so that a message
// of endlessly many frames has an end too.
const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
	frameCost   = 64
	greeting    = 64
)

var errFrame = errors.New("wire: a frame that no Jupyter client sends")

// see checks the next bytes of the stream. Commands belong to the handshake
// only: ZMTP 3.0 has none after it.
func (w *frameWatch) see(p []byte, ready bool) error {
	if !w.greeted {
		w.greeted, w.skip = true, greeting
	}
	for len(p) > 0 {
		if w.skip > 0 {
			k := min(w.skip, uint64(len(p)))
			w.skip -= k
			p = p[k:]
			continue
		}
		w.head[w.have] = p[0]
		w.have++
		p = p[1:]
		if err := w.frame(ready); err != nil {
			return err
		}
	}
	return nil
}

// frame looks at the head when it is complete.
func (w *frameWatch) frame(ready bool) error {
	flags := w.head[0]
	long := flags&flagLong != 0
	if w.have < 2 || long && w.have < 9 {
		return nil
	}
	n := uint64(w.head[1])
	if long {
		n = binary.BigEndian.Uint64(w.head[1:])
	}
	w.have = 0
	if flags > flagMore|flagLong|flagCommand || ready && flags&flagCommand != 0 || n > maxMessage {
		return errFrame
	}
	w.message += n + frameCost
	limit := uint64(maxMessage)
	if !ready {
		limit = chunk
	}
	if w.message > limit {
		return errFrame
	}
	if flags&flagMore == 0 {
		w.message = 0
	}
	w.skip = n
	return nil
}
