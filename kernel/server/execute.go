package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/wire"
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
		k.reply(j, wire.ExecuteReply{Status: wire.StatusOK, ExecutionCount: k.count, UserExpressions: k.expressions(req)})
		return
	}
	n := k.count + 1
	if req.StoreHistory {
		k.count = n
	}
	if !req.Silent {
		k.publish(j, "execute_input", wire.ExecuteInput{Code: req.Code, ExecutionCount: n})
	}
	k.out.begin(j.Header, req.Silent)
	res := k.evaluate(eval.Cell{Name: fmt.Sprintf("In[%d]", n), Code: req.Code})
	var shown display.Bundle
	if res.Err == nil {
		shown = k.result(res.Values)
	}
	k.out.sync()
	if shown != nil && !req.Silent {
		k.publishResult(j, n, shown)
	}
	if req.StoreHistory {
		k.history.add(n, req.Code, shown)
	}
	if res.Err != nil {
		k.fail(j, n, req, res.Err)
		return
	}
	expressions := k.expressions(req)
	k.out.sync()
	k.reply(j, wire.ExecuteReply{Status: wire.StatusOK, ExecutionCount: n, UserExpressions: expressions})
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

// evaluate runs a cell so that interrupt can stop it.
func (k *kernel) evaluate(c eval.Cell) eval.Result {
	ctx, cancel := context.WithCancel(k.ctx)
	k.setCancel(cancel)
	defer cancel()
	defer k.setCancel(nil)
	return k.ev.Run(ctx, c)
}

func (k *kernel) setCancel(f context.CancelFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cancel = f
}

// result is how the values of a cell are shown; nil: there are none.
func (k *kernel) result(values []any) display.Bundle {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return display.Of(values[0])
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(display.Of(v)[display.MIMEText])
	}
	return display.Text(strings.Join(texts, " ")).Data
}

// publishResult sends the value of a cell; one that JSON cannot hold is sent
// as its text.
func (k *kernel) publishResult(j job, n int, b display.Bundle) {
	content := wire.ExecuteResult{ExecutionCount: n, Data: payload(b)}
	if err := k.wire.Publish(j.Header, "execute_result", content); err != nil {
		content.Data = map[string]any{display.MIMEText: fmt.Sprint(b[display.MIMEText])}
		k.publish(j, "execute_result", content)
	}
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
// or an error of its own.
func (k *kernel) expressions(req wire.ExecuteRequest) map[string]any {
	all := map[string]any{}
	for name, code := range req.UserExpressions {
		res := k.evaluate(eval.Cell{Name: name, Code: code})
		if e := res.Err; e != nil {
			all[name] = wire.ErrorReply{EName: e.Name, EValue: e.Message, Traceback: e.Traceback}
			continue
		}
		b := k.result(res.Values)
		all[name] = map[string]any{"status": wire.StatusOK, "data": payload(b), "metadata": map[string]any{}}
	}
	return all
}

// payload is a bundle as the data of a message: text types as strings. Other
// bytes become base64 when they are written as JSON.
func payload(b display.Bundle) map[string]any {
	data := make(map[string]any, len(b))
	for mime, v := range b {
		if raw, ok := v.([]byte); ok && (strings.HasPrefix(mime, "text/") || mime == display.MIMESVG || mime == display.MIMEScript) {
			v = string(raw)
		}
		data[mime] = v
	}
	return data
}
