package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/google/uuid"
)

// Server is the kernel's end of the five sockets. Its methods may be called
// from any goroutine. What is sent on one socket arrives in the order of the
// calls.
type Server struct {
	signer   Signer
	session  string
	log      io.Writer
	requests chan Request
	replayed history
	patience atomic.Int64 // a time.Duration: sendLimit, but tests shorten it

	ctx    context.Context
	cancel context.CancelFunc
	once   sync.Once
	loops  sync.WaitGroup

	mu        sync.Mutex
	listeners []net.Listener
	clients   [3]map[string]*link // by channel and identity
	readers   map[*link]*topics   // subscribers of iopub
	links     map[*link]bool
	rejected  Rejected
}

// Rejected counts messages that were dropped.
type Rejected struct {
	Malformed int // frames or JSON that make no message
	Signature int // unsigned or signed with another key
	Replayed  int // came a second time
}

// Listen binds the five sockets of c, exactly to c.IP, and serves them until
// ctx is done or Close is called.
//
// Requests that are malformed, forged or replayed are counted and dropped with
// one line to standard error, as it is at this moment.
func Listen(ctx context.Context, c Connection) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("wire: connection: %w", err)
	}
	signer, err := NewSigner(c.Key, c.SignatureScheme)
	if err != nil {
		return nil, err
	}
	s := &Server{
		signer: signer, session: uuid.NewString(), log: os.Stderr,
		requests: make(chan Request, 64),
		readers:  map[*link]*topics{}, links: map[*link]bool{},
	}
	s.patience.Store(int64(sendLimit))
	s.ctx, s.cancel = context.WithCancel(ctx)
	for i := range s.clients {
		s.clients[i] = map[string]*link{}
	}
	if err := s.bind(c); err != nil {
		s.Close()
		return nil, err
	}
	context.AfterFunc(s.ctx, func() { s.Close() })
	return s, nil
}

// bind opens the five listeners and starts their loops.
func (s *Server) bind(c Connection) error {
	sockets := []struct {
		name  string
		port  int
		kind  zmq4.SocketType
		serve func(*link)
	}{
		{"shell", c.ShellPort, zmq4.Router, func(l *link) { s.serveRequests(l, Shell) }},
		{"control", c.ControlPort, zmq4.Router, func(l *link) { s.serveRequests(l, Control) }},
		{"stdin", c.StdinPort, zmq4.Router, func(l *link) { s.serveRequests(l, Stdin) }},
		{"iopub", c.IOPubPort, zmq4.XPub, s.serveTopics},
		{"heartbeat", c.HBPort, zmq4.Rep, s.serveEcho},
	}
	for _, k := range sockets {
		l, err := net.Listen("tcp", c.address(k.port))
		if err != nil {
			return fmt.Errorf("wire: binding the %s socket: %w", k.name, err)
		}
		s.listeners = append(s.listeners, l)
	}
	for i, k := range sockets {
		s.loops.Go(func() { s.accept(s.listeners[i], k.kind, k.serve) })
	}
	return nil
}

// accept serves every connection to l in its own goroutine.
func (s *Server) accept(l net.Listener, kind zmq4.SocketType, serve func(*link)) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files
			time.Sleep(50 * time.Millisecond)
			continue
		}
		s.loops.Go(func() {
			stop := context.AfterFunc(s.ctx, func() { conn.Close() })
			k, err := open(conn, kind, "", true)
			stop()
			if err != nil {
				return // not a ZeroMQ peer of this socket: a port scanner, say
			}
			if s.keep(k) {
				serve(k)
				s.forget(k)
			}
			k.close()
			<-k.done
		})
	}
}

// keep registers k; false when the server is closing.
func (s *Server) keep(k *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.links[k] = true
	return true
}

func (s *Server) forget(k *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, k)
}

// serveRequests reads the requests of one client.
func (s *Server) serveRequests(k *link, channel Channel) {
	if k.id == "" {
		k.id = uuid.NewString()
	}
	s.mu.Lock()
	s.clients[channel][k.id] = k // a client that comes again takes its name over
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.clients[channel][k.id] == k {
			delete(s.clients[channel], k.id)
		}
	}()
	for {
		frames, err := k.receive()
		if err != nil {
			return
		}
		m, err := s.open(append([][]byte{[]byte(k.id)}, frames...))
		if err != nil {
			s.reject(channel, err)
			continue
		}
		select {
		case s.requests <- Request{channel, m}:
		case <-s.ctx.Done():
			return
		}
	}
}

var errReplayed = errors.New("wire: it came before")

// open decodes a request and refuses one that came before.
func (s *Server) open(frames [][]byte) (Message, error) {
	m, signature, err := s.signer.decode(frames)
	if err == nil && s.replayed.repeated(signature) {
		err = errReplayed
	}
	return m, err
}

// reject counts a dropped message and says why, once for the first of a kind
// and then at every power of two, so that a flood does not fill the log.
func (s *Server) reject(channel Channel, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &s.rejected.Malformed
	switch {
	case errors.Is(why, ErrSignature):
		n = &s.rejected.Signature
	case errors.Is(why, errReplayed):
		n = &s.rejected.Replayed
	}
	*n++
	if *n&(*n-1) == 0 {
		fmt.Fprintf(s.log, "wire: %s: dropped a message (%d of this kind): %s\n",
			channel, *n, strings.TrimPrefix(why.Error(), "wire: "))
	}
}

// Rejected counts the messages dropped so far.
func (s *Server) Rejected() Rejected {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rejected
}

// Requests is the messages of all clients and channels. It must be read all
// the time, also while a cell runs, or an interrupt cannot come through. It is
// closed when the server is.
func (s *Server) Requests() <-chan Request { return s.requests }

// ErrGone is that a client has left before its answer: what it asked matters to
// nobody else.
var ErrGone = errors.New("the client is not connected")

// Reply answers req on its channel; ErrGone when nobody is there.
func (s *Server) Reply(req Request, msgType string, content any) error {
	_, err := s.Ask(req, msgType, content)
	return err
}

// Ask is Reply for a message that is answered in turn: it returns its id, which most
// clients give as their answer's parent. To ask a user for input, send "input_request"
// for a copy of the execute_request with Channel Stdin.
func (s *Server) Ask(req Request, msgType string, content any) (id string, err error) {
	if len(req.IDs) == 0 {
		return "", fmt.Errorf("wire: %s: the request has no sender", msgType)
	}
	h := s.header(msgType)
	frames, err := s.encode(h, req.IDs[1:], req.Header, nil, content)
	if err != nil {
		return "", err
	}
	k := s.client(req)
	if k == nil || !s.send(k, frames) {
		return "", fmt.Errorf("wire: %s: %w to %s", msgType, ErrGone, req.Channel)
	}
	return h.MsgID, nil
}

// stdinWait is how long a question waits for its client to reach stdin.
const stdinWait = time.Second

// client is the link to the sender of req; nil when there is none. A client
// opens its sockets one after the other, so on stdin, where the kernel speaks
// first, it may be a moment late.
func (s *Server) client(req Request) *link {
	for end := time.Now().Add(stdinWait); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		k := s.clients[req.Channel][string(req.IDs[0])]
		s.mu.Unlock()
		if k != nil || req.Channel != Stdin || time.Now().After(end) || s.ctx.Err() != nil {
			return k
		}
	}
}

// sendLimit is how long a message waits for a peer with a full queue.
const sendLimit = 10 * time.Second

// send queues frames for a peer, and gives the peer up when it makes the
// message wait for too long; false means that it is gone. The limit is on the
// whole wait, so that a peer cannot stretch it by reading a little at a time.
func (s *Server) send(k *link, frames [][]byte) bool {
	late := time.AfterFunc(time.Duration(s.patience.Load()), k.close)
	defer late.Stop()
	return k.send(frames)
}

// Publish sends a message to every subscriber of iopub, with its type as the
// topic; the zero parent is sent as {}. It waits for a subscriber that has
// 64 MiB of messages unread, at most ten seconds; then the subscriber is
// dropped. One that reads nothing for ten seconds is dropped at any time.
func (s *Server) Publish(parent Header, msgType string, content any) error {
	return s.PublishWith(parent, msgType, nil, content)
}

// PublishWith is Publish with metadata of the message.
func (s *Server) PublishWith(parent Header, msgType string, metadata map[string]any, content any) error {
	frames, err := s.encode(s.header(msgType), [][]byte{[]byte(msgType)}, parent, metadata, content)
	if err != nil {
		return err
	}
	for _, k := range s.subscribers(msgType) {
		s.send(k, frames)
	}
	return nil
}

// header is that of a new message.
func (s *Server) header(msgType string) Header { return NewHeader(s.session, "kernel", msgType) }

// encode is the signed frames of a new message.
func (s *Server) encode(h Header, ids [][]byte, parent Header, metadata map[string]any, content any) ([][]byte, error) {
	c, err := contentJSON(h.MsgType, content)
	if err != nil {
		return nil, err
	}
	return s.signer.Encode(Message{IDs: ids, Header: h, Parent: parent, Metadata: metadata, Content: c})
}

// subscribers lists the subscribers whose topics fit.
func (s *Server) subscribers(topic string) []*link {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*link
	for k, t := range s.readers {
		if t.fit(topic) {
			all = append(all, k)
		}
	}
	return all
}

// topics is the prefixes that a subscriber wants.
type topics struct{ prefix map[string]int }

func (t *topics) fit(topic string) bool {
	for p := range t.prefix {
		if strings.HasPrefix(topic, p) {
			return true
		}
	}
	return false
}

// maxTopics bounds what one subscriber may ask for; Jupyter's ask for one.
const maxTopics = 1000

// serveTopics follows what a subscriber of iopub wants: frames of a 1 (yes) or
// a 0 (no more) and the prefix of the topic.
func (s *Server) serveTopics(k *link) {
	t := &topics{prefix: map[string]int{}}
	s.mu.Lock()
	s.readers[k] = t
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.readers, k)
	}()
	for {
		frames, err := k.receive()
		if err != nil {
			return
		}
		if len(frames) != 1 || len(frames[0]) == 0 {
			continue
		}
		prefix := string(frames[0][1:])
		fresh := false
		s.mu.Lock()
		switch {
		case frames[0][0] == 1 && len(t.prefix) < maxTopics:
			t.prefix[prefix]++
			fresh = t.prefix[prefix] == 1
		case frames[0][0] == 0 && t.prefix[prefix] > 1:
			t.prefix[prefix]--
		case frames[0][0] == 0:
			delete(t.prefix, prefix)
		}
		s.mu.Unlock()
		if fresh {
			s.welcome(k, prefix)
		}
	}
}

// welcome tells a subscriber that its subscription counts from now on. It is
// the one message that needs no request: see JEP 65.
func (s *Server) welcome(k *link, prefix string) {
	const kind = "iopub_welcome"
	topic := prefix
	if topic == "" {
		topic = kind
	}
	frames, err := s.encode(s.header(kind), [][]byte{[]byte(topic)}, Header{}, nil, IOPubWelcome{prefix})
	if err == nil {
		s.send(k, frames)
	}
}

// serveEcho sends heartbeats back.
func (s *Server) serveEcho(k *link) {
	for {
		frames, err := k.receive()
		if err != nil || !k.send(frames) {
			return
		}
	}
}

// closeLimit is how long Close waits for what is queued.
const closeLimit = time.Second

// Close sends what is queued, for at most a second, closes the sockets and
// waits for their goroutines. Further calls do nothing.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.cancel()
		for _, l := range s.listeners {
			l.Close()
		}
		s.mu.Lock()
		var links []*link
		for k := range s.links {
			links = append(links, k)
		}
		s.mu.Unlock()
		var wg sync.WaitGroup
		for _, k := range links {
			wg.Go(func() {
				k.drain(closeLimit)
				k.close()
			})
		}
		wg.Wait()
		s.loops.Wait()
		close(s.requests)
	})
	return nil
}
