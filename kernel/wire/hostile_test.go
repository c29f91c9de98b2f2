package wire

import (
	"bytes"
	"context"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// TestGarbageConnections speaks broken ZMTP to every port; the server must
// neither stop nor allocate what a frame claims.
func TestGarbageConnections(t *testing.T) {
	_, k, requests, _, c := pair(t)
	hello := append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'}, make([]byte, 48)...)
	ready := func(property string) []byte {
		body := "\x05READY" + property
		return append(append(bytes.Clone(hello), 4, byte(len(body))), body...)
	}
	dealer := ready("\x0bSocket-Type\x00\x00\x00\x06DEALER")
	cases := map[string][]byte{
		"nothing":          {},
		"web browser":      []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"other mechanism":  append(append([]byte{}, hello[:12]...), bytes.Repeat([]byte{'X'}, 52)...),
		"unknown socket":   ready("\x0bSocket-Type\x00\x00\x00\x03XXX"),
		"cut property":     ready("\x0bSocket"),
		"short property":   ready("\x01"),
		"long property":    ready("\x0bSocket-Type\xff\xff\xff\xff"),
		"huge handshake":   append(bytes.Clone(hello), 6, 0, 0, 0, 0, 0x40, 0, 0, 0),
		"huge frame":       append(bytes.Clone(dealer), 2, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"negative frame":   append(bytes.Clone(dealer), 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"unknown flags":    append(bytes.Clone(dealer), 0xf0, 1, 0),
		"late command":     append(bytes.Clone(dealer), 4, 5, 4, 'P', 'I', 'N', 'G'),
		"cut frame":        append(bytes.Clone(dealer), 0, 200, 'x'),
		"too many to hold": append(bytes.Clone(dealer), 3, 0, 0, 0, 0, 0x10, 0, 0, 1),
	}
	for name, data := range cases {
		for _, port := range c.ports() {
			conn, err := net.Dial("tcp", c.address(*port.port))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(data); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			defer conn.Close() // stays open, as a hanging peer does
		}
	}
	for _, channel := range []Channel{Shell, Control, Stdin} {
		if _, err := k.Send(channel, "after_request", nil); err != nil {
			t.Fatal(err)
		}
		next(t, requests, isType[Request]("after_request"))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := k.Ping(ctx); err != nil {
		t.Error(err)
	}
	other, err := Dial(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Ready(ctx); err != nil {
		t.Error(err)
	}
}

func TestFrameWatchEndlessMessage(t *testing.T) {
	w := frameWatch{greeted: true}
	for i := range 1 << 23 {
		if err := w.see([]byte{flagMore, 0}, true); err != nil {
			if i < 1000 {
				t.Errorf("refused after %d frames", i)
			}
			return
		}
	}
	t.Error("a message of eight million frames was taken")
}

// TestDeafSubscriber has one subscriber that never reads: others must go on
// getting messages, and the server must hold no more than maxQueue for it.
func TestDeafSubscriber(t *testing.T) {
	s, k, _, _, c := pair(t)
	conn, err := net.Dial("tcp", c.address(c.IOPubPort))
	if err != nil {
		t.Fatal(err)
	}
	deaf, err := open(conn, zmq4.Sub, "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.close()
	deaf.send([][]byte{{1}})
	waitSubscribers(t, s, 2)
	text := strings.Repeat("x", 1<<20)
	for i := range 20 {
		s.Publish(Header{}, "stream", Stream{"stdout", text})
		if m := next(t, k.IOPub(), isType[Message]("stream")); len(m.Content) < len(text) {
			t.Fatalf("message %d has %d bytes", i, len(m.Content))
		}
	}
}

// waitSubscribers waits until n subscribers want streams.
func waitSubscribers(t *testing.T, s *Server, n int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); len(s.subscribers("stream")) != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d subscribers, want %d", len(s.subscribers("stream")), n)
		}
	}
}

// TestTricklingSubscriber has one subscriber that reads steadily, but much
// slower than is published: no message may wait for it longer than the limit,
// and then it is dropped.
func TestTricklingSubscriber(t *testing.T) {
	s, k, _, _, c := pair(t)
	patience := 300 * time.Millisecond
	s.patience.Store(int64(patience))
	conn, err := net.Dial("tcp", c.address(c.IOPubPort))
	if err != nil {
		t.Fatal(err)
	}
	slow, err := open(conn, zmq4.Sub, "", false)
	if err != nil {
		t.Fatal(err)
	}
	slow.send([][]byte{{1}})
	waitSubscribers(t, s, 2)
	var read sync.WaitGroup
	read.Go(func() {
		for b := make([]byte, chunk); ; time.Sleep(20 * time.Millisecond) { // 3 MiB a second, 20 s for a full queue
			if _, err := conn.Read(b); err != nil {
				return
			}
		}
	})
	defer read.Wait()
	defer slow.close()
	text := strings.Repeat("x", 4<<20)
	longest := time.Duration(0)
	for range 2 * maxQueue / len(text) {
		begin := time.Now()
		s.Publish(Header{}, "stream", Stream{"stdout", text})
		longest = max(longest, time.Since(begin))
		next(t, k.IOPub(), isType[Message]("stream"))
	}
	if longest < patience || longest > 10*patience {
		t.Errorf("the longest Publish took %v; the limit is %v", longest, patience)
	}
	waitSubscribers(t, s, 1)
}

// TestHostileMessages sends ten thousand multipart messages that no front end
// sends: the server drops every one, and answers afterwards.
func TestHostileMessages(t *testing.T) {
	s, k, requests, log, c := pair(t)
	rng := rand.New(rand.NewPCG(1, 2))
	noise := func(most int) []byte {
		b := make([]byte, rng.IntN(most+1))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	good := func() [][]byte {
		frames, err := k.signer.Encode(Message{Header: NewHeader("other", "other", "hostile_request")})
		if err != nil {
			t.Fatal(err)
		}
		return frames
	}
	stranger, err := NewSigner("another key", c.SignatureScheme)
	if err != nil {
		t.Fatal(err)
	}
	first := good()
	kinds := []func() [][]byte{
		func() [][]byte { return [][]byte{noise(40)} },
		func() [][]byte { // any frames
			frames := make([][]byte, 1+rng.IntN(12))
			for i := range frames {
				frames[i] = noise(60)
			}
			return frames
		},
		func() [][]byte { return append([][]byte{delimiter}, noise(64), noise(9), noise(9), noise(9), noise(9)) },
		func() [][]byte { return good()[:1+rng.IntN(5)] }, // cut
		func() [][]byte { // changed after it was signed
			frames := good()
			f := frames[2+rng.IntN(4)]
			f[rng.IntN(len(f))] ^= 1 << rng.IntN(8)
			return frames
		},
		func() [][]byte { // unsigned
			frames := good()
			frames[1] = nil
			return frames
		},
		func() [][]byte { // signed by somebody else
			frames, _ := stranger.Encode(Message{Header: NewHeader("other", "other", "hostile_request")})
			return frames
		},
		func() [][]byte { return first }, // replayed
		func() [][]byte { // signed, and no JSON
			parts := [][]byte{noise(50), noise(50), noise(50), noise(50)}
			return append([][]byte{delimiter, []byte(hex.EncodeToString(k.signer.sign(parts)))}, parts...)
		},
	}
	const messages = 10000
	var links []*link
	for _, port := range []int{c.ShellPort, c.ControlPort, c.StdinPort} {
		conn, err := net.Dial("tcp", c.address(port))
		if err != nil {
			t.Fatal(err)
		}
		l, err := open(conn, zmq4.Dealer, "hostile", false)
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		links = append(links, l)
	}
	links[0].send(first)
	next(t, requests, isType[Request]("hostile_request")) // once it is good
	for i := range messages {
		if !links[i%len(links)].send(kinds[rng.IntN(len(kinds))]()) {
			t.Fatal("the server closed the connection")
		}
	}
	total := func() int {
		r := s.Rejected()
		return r.Malformed + r.Signature + r.Replayed
	}
	for end := time.Now().Add(20 * time.Second); total() < messages; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v of %d", s.Rejected(), messages)
		}
	}
	if r := s.Rejected(); r.Malformed == 0 || r.Signature == 0 || r.Replayed == 0 {
		t.Errorf("rejected %+v", r)
	}
	if n := strings.Count(log.String(), "\n"); n > 60 {
		t.Errorf("%d lines in the log", n)
	}
	if _, err := k.Send(Shell, "after_request", nil); err != nil {
		t.Fatal(err)
	}
	if r := next(t, requests, func(Request) bool { return true }); r.Header.MsgType != "after_request" {
		t.Errorf("a message of type %s came through", r.Header.MsgType)
	}
}

// TestWelcome: each new subscription of a subscriber is answered, with a topic
// that fits it, and to this subscriber alone.
func TestWelcome(t *testing.T) {
	s, k, _, _, c := pair(t)
	conn, err := net.Dial("tcp", c.address(c.IOPubPort))
	if err != nil {
		t.Fatal(err)
	}
	sub, err := open(conn, zmq4.Sub, "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.close()
	welcome := func(topic, frame string) {
		t.Helper()
		sub.send([][]byte{append([]byte{1}, topic...)})
		frames, err := sub.receive()
		if err != nil {
			t.Fatal(err)
		}
		m, err := k.signer.Decode(frames)
		if err != nil {
			t.Fatal(err)
		}
		var w IOPubWelcome
		if err := m.Into(&w); err != nil || m.Header.MsgType != "iopub_welcome" || w.Subscription != topic || m.Parent != (Header{}) || string(frames[0]) != frame {
			t.Errorf("%q: topic %q, %+v, %s, %v", topic, frames[0], m.Header, m.Content, err)
		}
	}
	welcome("stream", "stream")
	welcome("", "iopub_welcome")
	s.Publish(Header{}, "stream", Stream{"stdout", "x"})
	seen := 0
	next(t, k.IOPub(), func(m Message) bool {
		if m.Header.MsgType == "iopub_welcome" {
			seen++
		}
		return m.Header.MsgType == "stream"
	})
	if seen > 1 {
		t.Errorf("the other subscriber got %d welcomes", seen)
	}
}
