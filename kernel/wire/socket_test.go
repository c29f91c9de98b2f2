package wire

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// lockedBuffer is a log that a test reads while the server writes.
type lockedBuffer struct {
	sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.String()
}

// pair starts a server and a client of one connection. The server answers
// kernel_info_request; all other requests go to the channel.
func pair(t *testing.T) (*Server, *Client, <-chan Request, *lockedBuffer, Connection) {
	t.Helper()
	c, err := NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	s.mu.Lock()
	s.log = log
	s.mu.Unlock()
	t.Cleanup(func() { s.Close() })
	requests := make(chan Request, 1000)
	go func() {
		defer close(requests)
		for r := range s.Requests() {
			if r.Header.MsgType != "kernel_info_request" {
				requests <- r
				continue
			}
			s.Publish(r.Header, "status", Status{Busy})
			s.Reply(r, "kernel_info_reply", KernelInfoReply{Status: StatusOK, Implementation: "test"})
			s.Publish(r.Header, "status", Status{Idle})
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	k, err := Dial(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	if info, err := k.Ready(ctx); err != nil || info.Implementation != "test" {
		t.Fatalf("Ready: %+v, %v", info, err)
	}
	return s, k, requests, log, c
}

// next waits for the next value of a channel that fits.
func next[T any](t *testing.T, c <-chan T, fit func(T) bool) T {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case v, ok := <-c:
			if !ok {
				t.Fatal("the channel is closed")
			}
			if fit(v) {
				return v
			}
		case <-limit:
			t.Fatal("nothing came in ten seconds")
		}
	}
}

func isType[M interface{ kind() string }](kind string) func(M) bool {
	return func(m M) bool { return m.kind() == kind }
}

func (m Message) kind() string { return m.Header.MsgType }

func TestRoundTripEverySocket(t *testing.T) {
	s, k, requests, _, _ := pair(t)
	for _, channel := range []Channel{Shell, Control} {
		id, err := k.Send(channel, "ask_request", map[string]string{"code": "é"})
		if err != nil {
			t.Fatal(err)
		}
		r := next(t, requests, isType[Request]("ask_request"))
		if r.Channel != channel || r.Header.MsgID != id || r.Header.Session != k.Session() || string(r.Content) != `{"code":"é"}` {
			t.Errorf("%s: the server got %+v", channel, r)
		}
		if err := s.Reply(r, "ask_reply", StatusReply{StatusOK}); err != nil {
			t.Fatal(err)
		}
		a := next(t, k.Replies(), isType[Request]("ask_reply"))
		if a.Channel != channel || a.Parent != r.Header {
			t.Errorf("%s: the client got %+v", channel, a)
		}
		if channel != Shell {
			continue
		}
		r.Channel = Stdin // as a kernel asks for input while it runs a cell
		if err := s.Reply(r, "input_request", InputRequest{Prompt: "?"}); err != nil {
			t.Fatal(err)
		}
		q := next(t, k.Replies(), isType[Request]("input_request"))
		if q.Channel != Stdin || q.Parent.MsgID != id {
			t.Errorf("input_request: %+v", q)
		}
		if err := k.Answer(q, "input_reply", InputReply{"line"}); err != nil {
			t.Fatal(err)
		}
		var in InputReply
		if v := next(t, requests, isType[Request]("input_reply")); v.Channel != Stdin || v.Into(&in) != nil || in.Value != "line" {
			t.Errorf("input_reply: %+v, %+v", v, in)
		}
	}
	parent := NewHeader("p", "p", "execute_request")
	if err := s.Publish(parent, "stream", Stream{"stdout", "hello\n"}); err != nil {
		t.Fatal(err)
	}
	m := next(t, k.IOPub(), isType[Message]("stream"))
	if m.Parent != parent || string(m.IDs[0]) != "stream" || string(m.Content) != `{"name":"stdout","text":"hello\n"}` {
		t.Errorf("stream: %+v", m)
	}
	for range 3 {
		if err := k.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestConcurrentSendsStayWhole(t *testing.T) {
	s, k, _, _, _ := pair(t)
	const senders, each = 8, 200
	var wg sync.WaitGroup
	for g := range senders {
		wg.Go(func() {
			for i := range each {
				s.Publish(Header{}, "stream", Stream{fmt.Sprint(g), fmt.Sprintf("%d %s", i, strings.Repeat("x", i*50))})
			}
		})
	}
	seen := map[string]int{}
	for range senders * each {
		var c Stream
		if err := next(t, k.IOPub(), isType[Message]("stream")).Into(&c); err != nil {
			t.Fatal(err)
		}
		if i := seen[c.Name]; !strings.HasPrefix(c.Text, fmt.Sprint(i, " ")) {
			t.Fatalf("sender %s: got %.10q, want number %d", c.Name, c.Text, i)
		}
		seen[c.Name]++
	}
	wg.Wait()
}

func TestLargeMessage(t *testing.T) {
	s, k, _, _, _ := pair(t)
	text := strings.Repeat("0123456789abcdef", 1<<19) // 8 MiB
	go s.Publish(Header{}, "stream", Stream{"stdout", text})
	var c Stream
	if err := next(t, k.IOPub(), isType[Message]("stream")).Into(&c); err != nil || c.Text != text {
		t.Errorf("got %d bytes, %v; want %d", len(c.Text), err, len(text))
	}
}

// raw sends frames over a dealer of its own.
func raw(t *testing.T, address string) *link {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	l, err := dial(ctx, address, zmq4.Dealer, "intruder")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func TestRefusedRequests(t *testing.T) {
	s, k, requests, log, c := pair(t)
	own := signer(t, c.Key)
	frames := func(w Signer) [][]byte {
		f, err := w.Encode(Message{Header: NewHeader("s", "u", "evil_request")})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	good := frames(own)
	for _, channel := range []int{c.ShellPort, c.ControlPort, c.StdinPort} {
		l := raw(t, c.address(channel))
		l.send(frames(signer(t, "")))
		l.send(frames(signer(t, "other key")))
		l.send([][]byte{[]byte("garbage")})
		l.send([][]byte{{}, delimiter})
	}
	l := raw(t, c.address(c.ShellPort))
	l.send(good)
	l.send(good)
	raw(t, c.address(c.ControlPort)).send(good) // on another channel too
	next(t, requests, isType[Request]("evil_request"))
	want := Rejected{Malformed: 6, Signature: 6, Replayed: 2}
	for end := time.Now().Add(5 * time.Second); s.Rejected() != want && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if got := s.Rejected(); got != want {
		t.Errorf("rejected %+v, want %+v", got, want)
	}
	if n := len(requests); n != 0 {
		t.Errorf("%d refused requests came through", n)
	}
	for _, s := range []string{"the signature does not fit", "it came before", "no <IDS|MSG>"} {
		if !strings.Contains(log.String(), s) {
			t.Errorf("the log does not say %q:\n%s", s, log)
		}
	}
	if n := strings.Count(log.String(), "\n"); n > 8 {
		t.Errorf("%d lines for 14 messages:\n%s", n, log)
	}
	if _, err := k.Send(Shell, "after_request", nil); err != nil {
		t.Fatal(err)
	}
	next(t, requests, isType[Request]("after_request"))
}

func TestClientRefusesForgedOutput(t *testing.T) {
	s, k, _, _, _ := pair(t)
	own := s.signer
	s.signer = signer(t, "other key")
	s.Publish(Header{}, "stream", Stream{"stdout", "forged"})
	s.signer = own
	s.Publish(Header{}, "stream", Stream{"stdout", "real"})
	if m := next(t, k.IOPub(), isType[Message]("stream")); !strings.Contains(string(m.Content), "real") {
		t.Errorf("got %s", m.Content)
	}
}

func TestClose(t *testing.T) {
	s, k, requests, _, c := pair(t)
	for i := range 100 {
		s.Publish(Header{}, "stream", Stream{"stdout", fmt.Sprint(i)})
	}
	s.Close() // must send what is queued
	s.Close()
	n := 0
	for m := range k.IOPub() {
		if m.Header.MsgType == "stream" {
			n++
		}
	}
	if n != 100 {
		t.Errorf("%d of 100 messages arrived", n)
	}
	for range k.Replies() { // must be closed
	}
	for range requests {
	}
	for _, p := range c.ports() {
		if conn, err := net.Dial("tcp", c.address(*p.port)); err == nil {
			conn.Close()
			t.Errorf("%s is still open", p.name)
		}
	}
	if _, err := k.Send(Shell, "late_request", nil); err == nil {
		t.Error("Send to a closed kernel gives no error")
	}
}

func TestListenErrors(t *testing.T) {
	c, err := NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", c.address(c.HBPort))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Listen(t.Context(), c); err == nil || !strings.Contains(err.Error(), "heartbeat") {
		t.Errorf("port taken: %v", err)
	}
	if first, err := net.Listen("tcp", c.address(c.ShellPort)); err != nil {
		t.Errorf("the shell port was not given back: %v", err)
	} else {
		first.Close()
	}
	c.ShellPort = 0
	if _, err := Listen(t.Context(), c); err == nil || !strings.Contains(err.Error(), "shell_port is 0") {
		t.Errorf("port 0: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if c, err = NewConnection(); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(ctx, c); err == nil {
		t.Error("Dial to nobody gives no error")
	}
}
