package server

import (
	"context"
	"errors"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

const (
	flushPause = 40 * time.Millisecond // at most, between a byte and its message
	flushSize  = 64 << 10              // bytes that are not held back
)

// maxPlaces bounds the cells whose late output finds its way back to them.
const maxPlaces = 1000

// stream names of the protocol.
const (
	stdout = "stdout"
	stderr = "stderr"
)

// place is a request to which output belongs.
type place struct {
	job
	muted bool // its output is dropped
	input bool // its front end can ask the user
}

// outlet sends the output of cells: text of the standard streams, gathered to
// a few messages, and displays, in their order.
type outlet struct {
	k *kernel

	mu     sync.Mutex
	places map[uint32]*place
	order  []uint32
	last   *place // of the cell that runs or ran last
	to     *place // of the text that is held back
	name   string // of its stream
	text   []byte
	sent   time.Time
	timer  *time.Timer
}

func newOutlet(k *kernel) *outlet {
	return &outlet{k: k, places: map[uint32]*place{}, last: &place{}}
}

var _ worker.Output = (*outlet)(nil)

// begin makes p the place of a cell's output.
func (o *outlet) begin(cell uint32, p place) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(true)
	if len(o.order) == maxPlaces {
		delete(o.places, o.order[0])
		o.order = o.order[1:]
	}
	o.order = append(o.order, cell)
	o.places[cell] = &p
	o.last = &p
	o.sent = time.Time{}
}

// of is the place of a cell: the last one, if it is not known.
func (o *outlet) of(cell uint32) *place {
	if p := o.places[cell]; p != nil {
		return p
	}
	return o.last
}

// sync sends everything that came before.
func (o *outlet) sync() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(true)
}

// Text takes text of a stream.
func (o *outlet) Text(cell uint32, isErr bool, text []byte) {
	name := stdout
	if isErr {
		name = stderr
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.of(cell)
	if p.muted || len(text) == 0 {
		return
	}
	if name != o.name || p != o.to {
		o.flush(true)
		o.name, o.to = name, p
	}
	o.text = append(o.text, text...)
	switch {
	case len(o.text) >= flushSize || time.Since(o.sent) >= flushPause:
		o.flush(false)
	case o.timer == nil:
		o.timer = time.AfterFunc(flushPause, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.timer = nil
			o.flush(false)
		})
	}
}

// flush sends the text that is held back; a rune that has not arrived whole
// stays, unless all is to go.
func (o *outlet) flush(all bool) {
	n := len(o.text)
	if !all {
		n = whole(o.text)
	}
	if n == 0 {
		return
	}
	text := string(o.text[:n])
	o.text = append(o.text[:0], o.text[n:]...)
	if cap(o.text) > 4*flushSize {
		o.text = append([]byte(nil), o.text...)
	}
	o.sent = time.Now()
	o.k.publish(o.to.job, "stream", wire.Stream{Name: o.name, Text: text})
}

// whole is the length of p without a rune that is cut at its end.
func whole(p []byte) int {
	for i := len(p) - 1; i >= max(len(p)-utf8.UTFMax, 0); i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}

// Display sends an output.
func (o *outlet) Display(cell uint32, d worker.Display) {
	kind := "display_data"
	if d.Update {
		kind = "update_display_data"
	}
	o.send(cell, kind, wire.DisplayData{Data: payload(d.Data), Metadata: d.Metadata, Transient: wire.Transient{DisplayID: d.ID}})
}

// Clear removes the outputs of a cell.
func (o *outlet) Clear(cell uint32, wait bool) {
	o.send(cell, "clear_output", wire.ClearOutput{Wait: wait})
}

// send sends a message behind the text that came before.
func (o *outlet) send(cell uint32, kind string, content any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(true)
	if p := o.of(cell); !p.muted {
		o.k.publish(p.job, kind, content)
	}
}

// Comm sends a message of a comm.
func (o *outlet) Comm(cell uint32, c worker.Comm) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(true)
	o.k.comms.send(o.k, o.of(cell).job, c)
}

// Died tells, under the cell that ran last, that the worker died after it.
func (o *outlet) Died(err *eval.Error) {
	text := "\n"
	for _, l := range err.Traceback {
		text += l + "\n"
	}
	o.Text(0, true, []byte(text))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(true)
	o.k.closeComms(o.last.job)
}

// Input asks the user of a cell for a line.
func (o *outlet) Input(ctx context.Context, cell uint32, text string, password bool) (string, error) {
	o.sync()
	o.mu.Lock()
	p := o.of(cell)
	o.mu.Unlock()
	if !p.input {
		return "", errors.New("this front end cannot ask for input (the cell was sent with allow_stdin false)")
	}
	return o.k.lines.ask(ctx, o.k, p.job, wire.InputRequest{Prompt: text, Password: password})
}

// lines is the questions to users, one at a time. The zero value is ready.
type lines struct {
	turn sync.Mutex

	mu     sync.Mutex
	from   string      // identity of the client that is asked; "" nobody is
	answer chan string // of the question that is open

	// dropped are the ids of questions that nobody waits for any more: after an
	// interrupt the user may still send the line, when the next question is open.
	dropped map[string]bool
}

// ask puts a question to the sender of a request and waits for the answer.
func (l *lines) ask(ctx context.Context, k *kernel, j job, q wire.InputRequest) (string, error) {
	l.turn.Lock()
	defer l.turn.Unlock()
	if ctx.Err() != nil || len(j.IDs) == 0 {
		return "", context.Canceled
	}
	answer := make(chan string, 1)
	l.open(string(j.IDs[0]), answer)
	defer l.open("", nil)
	req := j.Request
	req.Channel = wire.Stdin
	id, err := k.wire.Ask(req, "input_request", q)
	if err != nil {
		return "", err
	}
	select {
	case text := <-answer:
		return text, nil
	case <-ctx.Done():
		l.drop(id)
		return "", ctx.Err()
	case <-k.ctx.Done():
		return "", k.ctx.Err()
	}
}

// open makes a question the one that waits.
func (l *lines) open(from string, answer chan string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from, l.answer = from, answer
}

// drop says that an answer to a question is nobody's.
func (l *lines) drop(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dropped == nil || len(l.dropped) >= maxPlaces {
		l.dropped = map[string]bool{}
	}
	l.dropped[id] = true
}

// take gives an input_reply to the question that waits for it. Not all clients say
// which question they answer.
func (l *lines) take(req wire.Request) {
	var in wire.InputReply
	if req.Into(&in) != nil || len(req.IDs) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if late := l.dropped[req.Parent.MsgID]; late {
		delete(l.dropped, req.Parent.MsgID)
		return
	}
	if l.answer != nil && l.from == string(req.IDs[0]) {
		l.answer <- in.Value
		l.answer = nil
	}
}
