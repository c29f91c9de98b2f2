package server

import (
	"fmt"
	"strings"
	"time"

	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

// abortWindow is how long after an error a request may arrive that was sent
// before it: "run all" sends every cell at once.
const abortWindow = 100 * time.Millisecond

// execute runs a cell:
//
//	execute_input · streams and displays · execute_result or error · reply
func execute(k *kernel, j job) {
	var req wire.ExecuteRequest
	if err := j.Into(&req); err != nil {
		k.reply(j, wire.ErrorReply{EName: "bad request", EValue: err.Error()})
		return
	}
	if k.aborts(j) {
		k.reply(j, wire.ExecuteReply{Status: wire.StatusAborted, ExecutionCount: k.count})
		return
	}
	if strings.TrimSpace(req.Code) == "" {
		k.reply(j, wire.ExecuteReply{Status: wire.StatusOK, ExecutionCount: k.count, UserExpressions: k.expressions(j, req)})
		return
	}
	n := k.count + 1
	if req.StoreHistory {
		k.count = n
	}
	if !req.Silent {
		k.publish(j, "execute_input", wire.ExecuteInput{Code: req.Code, ExecutionCount: n})
	}
	cell := worker.Cell{Name: fmt.Sprintf("In[%d]", n), Code: req.Code}
	cell.ID = k.newCell(place{job: j, muted: req.Silent, input: req.AllowStdin})
	r := k.evaluate(j, req, cell)
	k.out.sync()
	if r.Value != nil && !req.Silent {
		k.publish(j, "execute_result", wire.ExecuteResult{ExecutionCount: n, Data: payload(r.Value)})
	}
	if req.StoreHistory {
		k.history.add(n, req.Code, r.Value)
	}
	if r.Err != nil {
		k.fail(j, n, req, r.Err)
		return
	}
	k.reply(j, wire.ExecuteReply{Status: wire.StatusOK, ExecutionCount: n, Payload: payloads(r), UserExpressions: k.expressions(j, req)})
}

// evaluate runs a cell: in the worker, unless it is a command about the worker.
func (k *kernel) evaluate(j job, req wire.ExecuteRequest, c worker.Cell) worker.Reply {
	if run, argument := command(req.Code); run != nil {
		return run(k, j, argument)
	}
	r := k.host.Run(c)
	if r.Err == nil && req.StoreHistory {
		k.good.add(c)
	}
	if r.Lost {
		k.closeComms(j)
	}
	return r
}

// newCell is the number of a cell whose output belongs to p.
func (k *kernel) newCell(p place) uint32 {
	n := k.cells.Add(1)
	k.out.begin(n, p)
	return n
}

// payloads is what a front end is to do after a cell.
func payloads(r worker.Reply) (all []any) {
	if r.Page != nil {
		all = append(all, wire.PagePayload{Source: "page", Data: payload(r.Page)})
	}
	if r.NextInput != "" {
		all = append(all, wire.NextInputPayload{Source: "set_next_input", Text: r.NextInput, Replace: true})
	}
	return all
}

// aborts says whether a cell was queued behind one that failed.
func (k *kernel) aborts(j job) bool {
	if k.failed.IsZero() {
		return false
	}
	if !j.at.After(k.failed) {
		return true
	}
	sent, err := time.Parse(time.RFC3339Nano, j.Header.Date)
	return err == nil && sent.Before(k.failed) && j.at.Before(k.failed.Add(abortWindow))
}

// fail tells of an error and remembers it for the cells that are queued.
func (k *kernel) fail(j job, n int, req wire.ExecuteRequest, e *eval.Error) {
	if req.StopOnError {
		k.failed = time.Now()
	}
	if !req.Silent {
		k.publish(j, "error", wire.Error{EName: e.Name, EValue: e.Message, Traceback: e.Traceback})
	}
	k.reply(j, wire.ExecuteReply{
		Status: wire.StatusError, ExecutionCount: n,
		EName: e.Name, EValue: e.Message, Traceback: e.Traceback,
	})
}

// expressions evaluates the user expressions of a request: each gives a bundle
// or an error of its own. What they print is part of the cell.
func (k *kernel) expressions(j job, req wire.ExecuteRequest) map[string]any {
	all := map[string]any{}
	for name, code := range req.UserExpressions {
		id := k.newCell(place{job: j, muted: req.Silent})
		r := k.host.Run(worker.Cell{ID: id, Name: name, Code: code})
		if e := r.Err; e != nil {
			all[name] = wire.ErrorReply{EName: e.Name, EValue: e.Message, Traceback: e.Traceback}
			continue
		}
		all[name] = map[string]any{"status": wire.StatusOK, "data": payload(r.Value), "metadata": map[string]any{}}
	}
	k.out.sync()
	return all
}

// payload is a bundle as the data of a message.
func payload(b worker.Bundle) map[string]any {
	data := make(map[string]any, len(b))
	for mime, v := range b {
		data[mime] = v
	}
	return data
}
