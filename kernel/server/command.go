package server

import (
	"errors"
	"fmt"
	"strings"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

// commands are the cells of one line that are about the worker itself, and so
// are done here.
var commands map[string]func(k *kernel, j job, argument string) worker.Reply

func init() {
	commands = map[string]func(*kernel, job, string) worker.Reply{
		"%reset":    reset,
		"%restore":  restore,
		"%memlimit": memlimit,
	}
}

// command is the command that a cell consists of; nil: it is none.
func command(code string) (run func(*kernel, job, string) worker.Reply, argument string) {
	name, argument, _ := strings.Cut(strings.TrimSpace(code), " ")
	if strings.ContainsAny(argument, "\n\r") {
		return nil, ""
	}
	return commands[name], strings.TrimSpace(argument)
}

// refuse is the reply of a command that cannot be done.
func refuse(err error) worker.Reply {
	return worker.Reply{Err: &eval.Error{Name: "command error", Message: err.Error(), Traceback: []string{err.Error()}}}
}

// say is the reply of a command with a line of text.
func say(k *kernel, format string, args ...any) worker.Reply {
	k.out.Text(0, false, fmt.Appendf(nil, format+"\n", args...))
	return worker.Reply{}
}

// reset begins anew: a fresh worker that knows no variables.
func reset(k *kernel, j job, argument string) worker.Reply {
	if argument != "" && argument != "-f" { // -f is a habit from IPython
		return refuse(errors.New("%reset has no arguments"))
	}
	if err := k.fresh(j); err != nil {
		return refuse(err)
	}
	k.good.closed = true
	return say(k, "All variables are forgotten. %%restore runs the cells again that had succeeded.")
}

// fresh replaces the worker.
func (k *kernel) fresh(j job) error {
	k.closeComms(j)
	return k.host.Reset()
}

// good is the cells that succeeded, for %restore.
type good struct {
	cells  []worker.Cell
	closed bool // by %reset: the next cell begins a new list
}

// maxGood bounds the cells that are kept.
const maxGood = 10000

func (g *good) add(c worker.Cell) {
	if g.closed || len(g.cells) == maxGood {
		g.cells, g.closed = nil, false
	}
	g.cells = append(g.cells, c)
}

// restore runs the cells that succeeded again, in a fresh worker, without
// their output.
func restore(k *kernel, j job, argument string) worker.Reply {
	if argument != "" {
		return refuse(errors.New("%restore has no arguments"))
	}
	cells := k.good.cells
	k.good.closed = false
	if len(cells) == 0 {
		return say(k, "There is nothing to restore: no cell has succeeded yet.")
	}
	if err := k.fresh(j); err != nil {
		return refuse(err)
	}
	show := display.NewID()
	progress := func(kind, format string, args ...any) {
		k.publish(j, kind, wire.DisplayData{
			Data:      map[string]any{display.MIMEText: fmt.Sprintf(format, args...)},
			Transient: wire.Transient{DisplayID: show},
		})
	}
	const update = "update_display_data"
	progress("display_data", "Restoring %d cells …", len(cells))
	for i, c := range cells {
		progress(update, "Restoring cell %d of %d: %s …", i+1, len(cells), c.Name)
		c.ID = k.newCell(place{job: j, muted: true})
		if r := k.host.Run(c); r.Err != nil {
			progress(update, "Restored %d of %d cells; %s failed.", i, len(cells), c.Name)
			k.good.cells = cells[:i:i]
			return worker.Reply{Err: r.Err, Lost: r.Lost}
		}
	}
	progress(update, "Restored %d of %d cells.", len(cells), len(cells))
	return worker.Reply{}
}

// memlimit shows or sets the memory limit of the worker.
func memlimit(k *kernel, _ job, argument string) worker.Reply {
	if argument != "" {
		n, err := worker.ParseMemory(argument)
		if err != nil {
			return refuse(fmt.Errorf("%%memlimit: %w", err))
		}
		k.host.SetMemory(n)
	}
	text := "no limit"
	if n := k.host.Memory(); n > 0 {
		text = "limit " + worker.FormatMemory(n)
	}
	if used, ok := k.host.Used(); ok {
		text += ", used " + worker.FormatMemory(used)
	}
	return say(k, "Memory of the worker: %s.", text)
}
