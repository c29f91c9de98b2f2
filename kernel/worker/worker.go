// Package worker runs the cells of a kernel in a process of their own, so that
// nothing a cell does can end the kernel.
//
// The Host, in the kernel's process, starts the worker, hands it cells and
// notices when it dies. Serve, in the worker's process, runs the cells on a
// session and renders what they give: values never cross. Between them are a
// control connection, on which results, displays and the text that a session
// prints travel in order, and two pipes for what is written past the session
// to the descriptors 1 and 2.
package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chestlab/chest/kernel/assist"
	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
)

// Cell is a cell to run. What it puts out carries its ID.
type Cell struct {
	ID   uint32 // chosen by the caller, never twice
	Name string
	Code string
}

// Bundle is a display.Bundle as JSON: what a message holds.
type Bundle map[string]json.RawMessage

// Text is the plain text of b.
func (b Bundle) Text() (string, bool) {
	var s string
	raw, ok := b[display.MIMEText]
	return s, ok && json.Unmarshal(raw, &s) == nil
}

// Reply is how a cell ended.
type Reply struct {
	Value     Bundle      `json:",omitempty"` // of the last expression; nil: none
	Page      Bundle      `json:",omitempty"` // what a pager shows
	NextInput string      `json:",omitempty"` // replaces the cell's input
	Err       *eval.Error `json:",omitempty"`
	Lost      bool        `json:",omitempty"` // the worker died: variables are lost
}

// Display is an output of a cell.
type Display struct {
	Data     Bundle
	Metadata map[string]any `json:",omitempty"`
	ID       string         `json:",omitempty"` // by which it can be replaced
	Update   bool           `json:",omitempty"` // it replaces the output of that id
}

// Comm is a message between a cell and its front end: kind is "open", "msg" or
// "close".
type Comm struct {
	Kind     string
	ID       string
	Target   string         `json:",omitempty"` // of "open"
	Data     map[string]any `json:",omitempty"`
	Metadata map[string]any `json:",omitempty"`
}

// ReceiveComm takes the comm messages of the front end, in the worker. While
// it is nil, no target is known and every comm is closed when it opens.
var ReceiveComm func(kind, id, target string, data, metadata map[string]any)

// Session is what runs in a worker.
type Session struct {
	Evaluator eval.Evaluator
	Assistant Assistant // nil: nothing is completed or explained
}

// Assistant answers questions about code, also while a cell runs.
type Assistant interface {
	Complete(code string, cursor int) assist.Completion // cursor counts bytes
	Inspect(code string, cursor, detail int) assist.Inspection
	IsComplete(code string) eval.Completeness
}

// Maker makes the session of a fresh worker, which prints by out.
type Maker func(out *Outlet) (Session, error)

// question is what an Assistant is asked; its answer is an assist.Completion,
// an assist.Inspection or an eval.Completeness.
type question struct {
	What   string // "complete", "inspect", "is_complete" or "alive"
	Code   string
	Cursor int
	Detail int
}

// prompt asks the user for a line.
type prompt struct {
	Prompt   string
	Password bool
}

// line is the user's line, or why there is none.
type line struct {
	Text string
	Err  string
}

// ready says that a session is there, or why not.
type ready struct{ Err string }

// bundle is b as JSON: text types as strings, other bytes as base64. A value
// that JSON cannot hold is left out; without text, its text stands for it.
func bundle(b display.Bundle) Bundle {
	if b == nil {
		return nil
	}
	out := make(Bundle, len(b))
	for mime, v := range b {
		if raw, ok := v.([]byte); ok && textual(mime) {
			v = string(raw)
		}
		j, err := marshal(v)
		if err != nil && len(b) == 1 {
			mime = display.MIMEText
			j, err = marshal(fmt.Sprint(v))
		}
		if err == nil {
			out[mime] = j
		}
	}
	return out
}

// textual says whether a MIME type's data is text.
func textual(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == display.MIMESVG || mime == display.MIMEScript
}

// run runs a cell on s. A fault of the session is an error of the cell.
func (s Session) run(ctx context.Context, c Cell) (r Reply) {
	defer func() {
		if p := recover(); p != nil {
			text := fmt.Sprint(p)
			r = Reply{Err: &eval.Error{Name: "kernel error", Message: text, Traceback: []string{"kernel error: " + text}}}
		}
	}()
	res := s.Evaluator.Run(ctx, eval.Cell{Name: c.Name, Code: c.Code})
	r = Reply{Page: bundle(res.Page), NextInput: res.NextInput, Err: res.Err}
	if res.Err == nil {
		r.Value = bundle(display.OfResults(res.Values))
	}
	return r
}
