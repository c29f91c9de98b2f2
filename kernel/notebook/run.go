package notebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/chestlab/chest/kernel/wire"
)

// RunOptions controls Run. The zero value runs the notebook silently, in the
// present folder, for as long as it takes.
type RunOptions struct {
	Command   []string      // the kernel; the connection file comes as last argument. nil means this program with "kernel"
	Dir       string        // where the kernel runs; "" means the present folder
	Timeout   time.Duration // of the whole run; 0 means none
	KeepGoing bool          // run the cells after one that failed
	Progress  io.Writer     // a line for each cell, what cells print and their values; nil means none
}

// ErrTimeout is the error of a run that took longer than RunOptions.Timeout.
var ErrTimeout = errors.New("the time of the run is over")

// ErrKernelDied is the error of a run whose kernel ended in the middle of it.
var ErrKernelDied = errors.New("the kernel died")

// CellError is the error of a cell that failed.
type CellError struct {
	Cell      int // from 1, among the cells that run
	Line      int // in the cell, from 1; 0 when it is not known
	Name      string
	Value     string
	Traceback []string // may hold ANSI colours
}

// Error names the cell, the line and the reason.
func (e *CellError) Error() string {
	at := fmt.Sprintf("cell %d", e.Cell)
	if e.Line > 0 {
		at += fmt.Sprintf(", line %d", e.Line)
	}
	return fmt.Sprintf("%s: %s: %s", at, e.Name, e.Value)
}

// interruptLimit is the time from an interrupt to the end of the cell. Tests
// shorten it.
var interruptLimit = 5 * time.Second

// idleLimit is how long no message may come between a cell's reply and its
// idle status.
const idleLimit = 10 * time.Second

// raisesTag marks a cell that is meant to fail.
const raisesTag = "raises-exception"

// Run starts a kernel, runs the code cells of nb in it from top to bottom, and
// ends it. The outputs and counts of nb are replaced; outputs are kept up to
// where the run ends, whatever ends it. Blank cells are skipped.
//
// The run ends at the first cell that fails, unless KeepGoing is set or the
// cell is tagged "raises-exception". When ctx is done or the time is over, the
// cell is interrupted and, after five seconds, the kernel killed. The kernel
// and what it started never outlive Run.
//
// The error is nil when all cells ran; else errors.As finds a *CellError for a
// failed cell (with KeepGoing they are joined), and errors.Is finds
// ErrTimeout, ErrKernelDied, or ctx.Err() when ctx is done.
func Run(ctx context.Context, nb *Notebook, o RunOptions) error {
	todo, titles := nb.begin()
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, ErrTimeout)
		defer cancel()
	}
	p, err := startProcess(ctx, o)
	if err != nil {
		return fmt.Errorf("notebook: %w", ended(ctx, err))
	}
	defer p.stop()
	nb.setLanguage(p.info)
	r := &runner{process: p, collect: newCollector(), progress: newProgress(o.Progress, len(todo))}
	defer r.progress.close()
	var failures []error
	for i, c := range todo {
		err := ended(ctx, nil)
		if err == nil {
			r.progress.begin(i+1, titles[i])
			err = r.cell(ctx, c, i+1)
		}
		if err == nil {
			continue
		}
		failures = append(failures, err)
		var failed *CellError
		if !errors.As(err, &failed) || !o.KeepGoing || ctx.Err() != nil {
			break
		}
	}
	r.drain()
	return errors.Join(failures...)
}

// begin clears the outputs of all code cells and lists those to run, with a
// title for each: its first comment, the heading above it, or its first line.
func (nb *Notebook) begin() (todo []*Cell, titles []string) {
	heading := ""
	for _, c := range nb.Cells {
		switch c.Kind {
		case Markdown:
			if h := firstHeading(c.Source); h != "" {
				heading = h
			}
		case Code:
			c.Outputs, c.Count = nil, 0
			if !c.blank() {
				todo, titles = append(todo, c), append(titles, cellTitle(c, heading))
				heading = ""
			}
		}
	}
	return todo, titles
}

// ended is why ctx is done, when it is; else err.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// setLanguage notes what the kernel says of its language, as nbclient does.
func (nb *Notebook) setLanguage(info wire.KernelInfoReply) {
	data, err := json.Marshal(info.LanguageInfo)
	var m map[string]any
	if err != nil || json.Unmarshal(data, &m) != nil || info.LanguageInfo.Name == "" {
		return
	}
	if nb.Metadata == nil {
		nb.Metadata = map[string]any{}
	}
	nb.Metadata["language_info"] = m
}

// runner runs the cells of one notebook.
type runner struct {
	*process
	collect  *collector
	progress *progress
}

// cell runs one cell, number i from 1.
func (r *runner) cell(ctx context.Context, c *Cell, i int) error {
	id, err := r.client.Send(wire.Shell, "execute_request", wire.ExecuteRequest{
		Code: c.Source, StoreHistory: true, StopOnError: true, UserExpressions: map[string]string{},
	})
	if err != nil {
		return r.died(c, i)
	}
	r.collect.add(id, c)
	reply, err := r.wait(ctx, id, c, i)
	if err != nil {
		return err
	}
	if c.Count == 0 {
		c.Count = reply.ExecutionCount
	}
	if ctx.Err() != nil { // the interrupt worked
		return r.cut(ctx, c, i)
	}
	if reply.Status == wire.StatusOK || c.tagged(raisesTag) {
		r.progress.end("")
		return nil
	}
	e := &CellError{Cell: i, Name: reply.EName, Value: reply.EValue, Traceback: reply.Traceback}
	e.Line = errorLine(reply.Traceback, reply.ExecutionCount)
	r.progress.failed(e)
	return e
}

// wait follows the cell until it is over: its reply and its idle status came.
// When ctx is done it interrupts the cell first and then gives the kernel up.
func (r *runner) wait(ctx context.Context, id string, c *Cell, i int) (reply wire.ExecuteReply, err error) {
	answered, idle := false, false
	stop := ctx.Done()
	var late, silent <-chan time.Time
	replies := r.client.Replies()
	for !answered || !idle {
		if answered {
			silent = time.After(idleLimit)
		}
		select {
		case m, ok := <-r.client.IOPub():
			if !ok {
				return reply, r.died(c, i)
			}
			idle = r.take(m, id) || idle
		case m, ok := <-replies:
			if !ok {
				replies = nil // what it published before it died is still to come
				continue
			}
			if m.Header.MsgType == "execute_reply" && m.Parent.MsgID == id {
				answered = m.Into(&reply) == nil
			}
		case <-stop:
			stop, late = nil, time.After(interruptLimit)
			r.progress.note("interrupting")
			r.client.Send(wire.Control, "interrupt_request", nil)
		case <-late:
			r.killGroup(false)
			c.Outputs = append(c.Outputs, &Output{Kind: ErrorOutput, EName: "killed",
				EValue: fmt.Sprintf("the cell went on for %v after the interrupt, so the kernel was killed", interruptLimit)})
			return reply, r.cut(ctx, c, i)
		case <-silent:
			idle = true
		}
	}
	return reply, nil
}

// take handles a message of iopub; true when it is the idle status of id.
func (r *runner) take(m wire.Message, id string) bool {
	r.collect.take(m)
	switch m.Header.MsgType {
	case "status":
		var s wire.Status
		return m.Parent.MsgID == id && m.Into(&s) == nil && s.ExecutionState == wire.Idle
	case "stream":
		var s wire.Stream
		if m.Into(&s) == nil {
			r.progress.print(s.Text)
		}
	case "execute_result":
		r.progress.value(textOf(m))
	case "display_data", "update_display_data":
		r.progress.note(line(m))
	}
	return false
}

// drain takes what has come on iopub after the last cell, such as the last
// words of a goroutine.
func (r *runner) drain() {
	for {
		select {
		case m, ok := <-r.client.IOPub():
			if !ok {
				return
			}
			r.take(m, "")
		default:
			return
		}
	}
}

// cut ends a cell because ctx is done.
func (r *runner) cut(ctx context.Context, c *Cell, i int) error {
	why := context.Cause(ctx)
	what := "interrupted"
	if errors.Is(why, ErrTimeout) {
		what = ErrTimeout.Error()
	}
	r.progress.end(what)
	return fmt.Errorf("cell %d: %w", i, why)
}

// died ends a cell because the kernel has ended.
func (r *runner) died(c *Cell, i int) error {
	select {
	case <-r.ended:
	case <-time.After(pipeLimit): // it closed its sockets and lives on
		r.killGroup(false)
		<-r.ended
	}
	what := fmt.Sprintf("%s (%s)%s", ErrKernelDied, r.how(), r.said.quoted())
	c.Outputs = append(c.Outputs, &Output{Kind: ErrorOutput, EName: "kernel died", EValue: what, Traceback: strings.Split(what, "\n")})
	r.progress.end(what)
	return fmt.Errorf("cell %d: %w (%s)", i, ErrKernelDied, r.how())
}

// placed finds the line in a traceback: the kernel calls a cell In[n] and
// gives places as In[n]:line:column.
var placed = regexp.MustCompile(`In\[(\d+)\]:(\d+)`)

// errorLine is the first line of cell count that a traceback names, or 0: the
// error itself may be in a function of an earlier cell.
func errorLine(traceback []string, count int) int {
	for _, s := range traceback {
		for _, m := range placed.FindAllStringSubmatch(plain(s), -1) {
			if m[1] == strconv.Itoa(count) {
				line, _ := strconv.Atoi(m[2])
				return line
			}
		}
	}
	return 0
}
