package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/google/uuid"
)

// Client is a front end's end of the five sockets. Its methods may be called
// from any goroutine.
type Client struct {
	signer  Signer
	session string
	links   [3]*link // by channel
	iopub   *link
	hb      *link
	loops   sync.WaitGroup
	done    chan struct{}
	once    sync.Once

	outputs chan Message
	replies chan Request
	echoes  chan string

	ping  sync.Mutex
	pings int
}

// dialPause is the time between two tries while the kernel does not listen yet.
const dialPause = 10 * time.Millisecond

// Dial connects to a kernel, trying until it listens or ctx is done. The
// kernel may not have noted the subscription to iopub when Dial returns: wait
// with Ready.
func Dial(ctx context.Context, c Connection) (*Client, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("wire: connection: %w", err)
	}
	signer, err := NewSigner(c.Key, c.SignatureScheme)
	if err != nil {
		return nil, err
	}
	k := &Client{
		signer: signer, session: uuid.NewString(), done: make(chan struct{}),
		outputs: make(chan Message, 256), replies: make(chan Request, 64), echoes: make(chan string, 1),
	}
	sockets := []struct {
		name string
		port int
		kind zmq4.SocketType
		link **link
	}{
		{"iopub", c.IOPubPort, zmq4.Sub, &k.iopub},
		{"shell", c.ShellPort, zmq4.Dealer, &k.links[Shell]},
		{"control", c.ControlPort, zmq4.Dealer, &k.links[Control]},
		{"stdin", c.StdinPort, zmq4.Dealer, &k.links[Stdin]},
		{"heartbeat", c.HBPort, zmq4.Req, &k.hb},
	}
	for _, s := range sockets {
		// The three dealers share one identity: the kernel asks for input on
		// stdin by the identity that it knows from shell.
		if *s.link, err = dial(ctx, c.address(s.port), s.kind, k.session); err != nil {
			k.Close()
			return nil, fmt.Errorf("wire: connecting to the %s socket: %w", s.name, err)
		}
	}
	k.iopub.send([][]byte{{1}}) // every topic
	k.start()
	return k, nil
}

// dial tries to connect until ctx is done.
func dial(ctx context.Context, address string, kind zmq4.SocketType, identity string) (*link, error) {
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			var l *link
			if l, err = open(conn, kind, identity, false); err == nil {
				return l, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(dialPause):
		}
	}
}

// start runs the readers and closes the channels when they end.
func (k *Client) start() {
	var dealers sync.WaitGroup
	for channel, l := range k.links {
		dealers.Go(func() {
			k.read(l, func(m Message) bool {
				select {
				case k.replies <- Request{Channel(channel), m}:
					return true
				case <-k.done:
					return false
				}
			})
		})
	}
	k.loops.Go(func() {
		dealers.Wait()
		close(k.replies)
	})
	k.loops.Go(func() {
		defer close(k.outputs)
		k.read(k.iopub, func(m Message) bool {
			select {
			case k.outputs <- m:
				return true
			case <-k.done:
				return false
			}
		})
	})
	k.loops.Go(k.readEchoes)
}

// read gives every well-signed message of l to take, until take or l ends.
func (k *Client) read(l *link, take func(Message) bool) {
	defer l.close() // so that Send says that the kernel is gone
	for {
		frames, err := l.receive()
		if err != nil {
			return
		}
		if m, err := k.signer.Decode(frames); err == nil && !take(m) {
			return
		}
	}
}

// readEchoes keeps the newest heartbeat.
func (k *Client) readEchoes() {
	defer close(k.echoes)
	defer k.hb.close()
	for {
		frames, err := k.hb.receive()
		if err != nil {
			return
		}
		echo := string(bytes.Join(frames, nil))
		select {
		case <-k.echoes:
		default:
		}
		k.echoes <- echo
	}
}

// Session is the id of this client's session, which is in the header of its
// requests and in the parent header of all that answers them.
func (k *Client) Session() string { return k.session }

// Send sends a request and returns its id, which is the parent's id in all
// that answers it.
func (k *Client) Send(channel Channel, msgType string, content any) (id string, err error) {
	return k.send(channel, Header{}, msgType, content)
}

// Answer sends the answer to a request of the kernel, such as "input_reply".
func (k *Client) Answer(req Request, msgType string, content any) error {
	_, err := k.send(req.Channel, req.Header, msgType, content)
	return err
}

func (k *Client) send(channel Channel, parent Header, msgType string, content any) (string, error) {
	c, err := contentJSON(msgType, content)
	if err != nil {
		return "", err
	}
	h := NewHeader(k.session, "chest", msgType)
	frames, err := k.signer.Encode(Message{Header: h, Parent: parent, Content: c})
	if err != nil {
		return "", err
	}
	if !k.links[channel].send(frames) {
		return "", fmt.Errorf("wire: %s: the kernel has closed %s", msgType, channel)
	}
	return h.MsgID, nil
}

// IOPub is what the kernel publishes; it is closed when the kernel is gone.
// It must be read all the time, or the kernel gives this client up.
func (k *Client) IOPub() <-chan Message { return k.outputs }

// Replies is what comes on shell, control and stdin; it is closed when the
// kernel is gone. It must be read all the time.
func (k *Client) Replies() <-chan Request { return k.replies }

// readyPause is how long Ready waits before it asks again.
const readyPause = 100 * time.Millisecond

// Ready asks for kernel_info until the kernel has answered and a welcome or its
// status has come on iopub, so that no output can be missed afterwards. It
// reads from IOPub and Replies, so nobody else may do so meanwhile. More of the
// answers may still come later.
func (k *Client) Ready(ctx context.Context) (KernelInfoReply, error) {
	var info KernelInfoReply
	asked := map[string]bool{}
	answered, heard := false, false
	for !answered || !heard {
		id, err := k.Send(Shell, "kernel_info_request", nil)
		if err != nil {
			return info, err
		}
		asked[id] = true
		pause := time.After(readyPause)
		for again := false; !again && (!answered || !heard); {
			select {
			case <-ctx.Done():
				return info, fmt.Errorf("wire: the kernel is not ready: %w", ctx.Err())
			case <-pause:
				again = true
			case m, ok := <-k.outputs:
				if !ok {
					return info, errors.New("wire: the kernel closed iopub before it was ready")
				}
				heard = heard || m.Header.MsgType == "iopub_welcome" || m.Header.MsgType == "status" && asked[m.Parent.MsgID]
			case r, ok := <-k.replies:
				if !ok {
					return info, errors.New("wire: the kernel closed its sockets before it was ready")
				}
				if asked[r.Parent.MsgID] {
					if err := r.Into(&info); err != nil {
						return info, err
					}
					answered = true
				}
			}
		}
	}
	return info, nil
}

// Ping sends a heartbeat and waits for its echo.
func (k *Client) Ping(ctx context.Context) error {
	k.ping.Lock()
	defer k.ping.Unlock()
	k.pings++
	beat := "ping " + strconv.Itoa(k.pings)
	if !k.hb.send([][]byte{{}, []byte(beat)}) {
		return errors.New("wire: the kernel has closed its heartbeat")
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wire: no heartbeat: %w", ctx.Err())
		case echo, ok := <-k.echoes:
			if !ok {
				return errors.New("wire: the kernel has closed its heartbeat")
			}
			if echo == beat { // an older one is the echo of a Ping that gave up
				return nil
			}
		}
	}
}

// Close closes the sockets, after sending what is queued, and waits for their
// goroutines. Further calls do nothing.
func (k *Client) Close() error {
	k.once.Do(func() {
		close(k.done)
		for _, l := range append(k.links[:], k.iopub, k.hb) {
			if l != nil {
				l.drain(closeLimit)
				l.close()
				<-l.done
			}
		}
		k.loops.Wait()
	})
	return nil
}
