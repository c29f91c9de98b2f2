package server

import (
	"sync"
	"time"
	"unicode/utf8"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/wire"
)

const (
	flushPause = 40 * time.Millisecond // at most, between a byte and its message
	flushSize  = 64 << 10              // bytes that are not held back
)

// stream names of the protocol.
const (
	stdout = "stdout"
	stderr = "stderr"
)

// outlet sends the output of cells: text of the standard streams, gathered to
// a few messages, and displays, in their order. What comes after a cell has
// ended belongs to the cell that ran last.
type outlet struct {
	publish func(parent wire.Header, kind string, content any) error
	cap     *capture

	mu     sync.Mutex
	parent wire.Header
	muted  bool
	name   string // of the stream whose text is held back
	text   []byte
	sent   time.Time
	timer  *time.Timer
}

func newOutlet(publish func(wire.Header, string, any) error, cap *capture) *outlet {
	return &outlet{publish: publish, cap: cap}
}

// begin makes the cell of a request the one to which output belongs. A muted
// cell's output is dropped.
func (o *outlet) begin(parent wire.Header, muted bool) {
	o.sync()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.parent, o.muted = parent, muted
	o.sent = time.Time{}
}

// sync sends everything that was written before.
func (o *outlet) sync() {
	o.cap.sync()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(true)
}

// write takes text that arrived on a stream.
func (o *outlet) write(name string, p []byte) {
	if len(p) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.muted {
		return
	}
	if name != o.name {
		o.flush(true)
		o.name = name
	}
	o.text = append(o.text, p...)
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
	o.publish(o.parent, "stream", wire.Stream{Name: o.name, Text: text})
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

// Display makes outlet a display.Sink.
func (o *outlet) Display(d display.Data, id string, update bool) error {
	kind := "display_data"
	if update {
		kind = "update_display_data"
	}
	return o.send(kind, wire.DisplayData{Data: payload(d.Data), Metadata: d.Metadata, Transient: wire.Transient{DisplayID: id}})
}

// Clear removes the outputs of the running cell.
func (o *outlet) Clear(wait bool) error {
	return o.send("clear_output", wire.ClearOutput{Wait: wait})
}

// send sends a message behind the text that was written before.
func (o *outlet) send(kind string, content any) error {
	o.cap.sync()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(true)
	if o.muted {
		return nil
	}
	return o.publish(o.parent, kind, content)
}
