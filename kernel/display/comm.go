package display

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
)

// CommSender is what a Sink is that carries messages between cells and scripts
// of the front end. Kind is "open", "msg" or "close".
type CommSender interface {
	SendComm(kind, id, target string, data, metadata map[string]any) error
}

// ErrNoComm is the error where nothing carries such messages.
var ErrNoComm = errors.New("display: no comms: there is no notebook to talk to")

// Comm is a line to a script of the front end.
//
// The kernel calls the functions that receive between cells, never beside one.
type Comm struct {
	id, target string

	mu      sync.Mutex
	closed  bool
	message func(data map[string]any)
	ended   func()
}

var comms = struct {
	sync.Mutex
	open    map[string]*Comm
	targets map[string]func(*Comm, map[string]any)
}{open: map[string]*Comm{}, targets: map[string]func(*Comm, map[string]any){}}

// NewComm opens a line to the target of that name in the front end. Without a
// notebook it gives ErrNoComm.
func NewComm(target string, data map[string]any) (*Comm, error) {
	return openComm(newCommID(), target, data, nil)
}

func openComm(id, target string, data, metadata map[string]any) (*Comm, error) {
	c := &Comm{id: id, target: target}
	comms.Lock()
	comms.open[id] = c
	comms.Unlock()
	if err := c.send("open", data, metadata); err != nil {
		c.drop()
		return nil, err
	}
	return c, nil
}

// newCommID is the name of a new line, 32 hexadecimal digits.
func newCommID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// ID is the name of the line, the same on both sides.
func (c *Comm) ID() string { return c.id }

// Send sends data to the front end.
func (c *Comm) Send(data map[string]any) error { return c.send("msg", data, nil) }

// Close ends the line. A second Close does nothing.
func (c *Comm) Close() error {
	if !c.drop() {
		return nil
	}
	return post("close", c.id, c.target, nil, nil)
}

// OnMessage makes f the function that gets what the front end sends.
func (c *Comm) OnMessage(f func(data map[string]any)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.message = f
}

// OnClose makes f the function that is called when the front end ends the
// line.
func (c *Comm) OnClose(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = f
}

func (c *Comm) send(kind string, data, metadata map[string]any) error {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return fmt.Errorf("display: comm %s is closed", c.target)
	}
	return post(kind, c.id, c.target, data, metadata)
}

// post gives a message to the sink.
func post(kind, id, target string, data, metadata map[string]any) error {
	s, ok := sink().(CommSender)
	if !ok {
		return ErrNoComm
	}
	if data == nil {
		data = map[string]any{}
	}
	return s.SendComm(kind, id, target, data, metadata)
}

// drop forgets a line and says whether it was open.
func (c *Comm) drop() bool {
	c.mu.Lock()
	was := !c.closed
	c.closed = true
	c.mu.Unlock()
	comms.Lock()
	delete(comms.open, c.id)
	comms.Unlock()
	return was
}

// RegisterTarget makes f the function that takes the lines which the front end
// opens to the target name; nil takes none any more.
func RegisterTarget(name string, f func(c *Comm, data map[string]any)) {
	comms.Lock()
	defer comms.Unlock()
	if f == nil {
		delete(comms.targets, name)
		return
	}
	comms.targets[name] = f
}

// ReceiveComm takes a message of the front end. It is false for a target or a
// line that nobody knows; an unknown target's line should be closed. Only
// front ends call it.
func ReceiveComm(kind, id, target string, data, metadata map[string]any) (known bool) {
	comms.Lock()
	c, f := comms.open[id], comms.targets[target]
	if kind == "open" && f != nil {
		c = &Comm{id: id, target: target}
		comms.open[id] = c
	}
	comms.Unlock()
	if c == nil || kind == "open" && f == nil {
		return false
	}
	switch kind {
	case "open":
		guard(target, func() { f(c, data) })
	case "msg":
		c.mu.Lock()
		f := c.message
		c.mu.Unlock()
		if f != nil {
			guard(c.target, func() { f(data) })
		}
	case "close":
		c.mu.Lock()
		f := c.ended
		c.mu.Unlock()
		if c.drop() && f != nil {
			guard(c.target, f)
		}
	}
	return true
}

// Comms lists the open lines: name to target.
func Comms() map[string]string {
	comms.Lock()
	defer comms.Unlock()
	all := make(map[string]string, len(comms.open))
	for id, c := range comms.open {
		all[id] = c.target
	}
	return all
}

// guard calls a function of a cell; a panic in it is only told.
func guard(target string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(os.Stderr, "display: a function of comm %s panicked: %v\n", target, r)
		}
	}()
	f()
}
