package server

import (
	"unicode/utf8"

	"github.com/chestlab/chest/kernel/wire"
)

func isComplete(k *kernel, j job) {
	var req wire.IsCompleteRequest
	if err := j.Into(&req); err != nil {
		k.reply(j, wire.IsCompleteReply{Status: "unknown"})
		return
	}
	c := k.host.IsComplete(req.Code)
	k.reply(j, wire.IsCompleteReply{Status: c.Status, Indent: c.Indent})
}

// matchesKey is where front ends look for the kinds of matches.
const matchesKey = "_jupyter_types_experimental"

func complete(k *kernel, j job) {
	var req wire.CompleteRequest
	if err := j.Into(&req); err != nil {
		k.reply(j, wire.ErrorReply{EName: "bad request", EValue: err.Error()})
		return
	}
	c := k.host.Complete(req.Code, byteOffset(req.Code, req.CursorPos))
	start, end := runeOffset(req.Code, c.Start), runeOffset(req.Code, c.End)
	r := wire.CompleteReply{Status: wire.StatusOK, CursorStart: start, CursorEnd: end}
	kinds := []any{}
	for _, m := range c.Matches {
		r.Matches = append(r.Matches, m.Text)
		kinds = append(kinds, wire.MatchType{Text: m.Text, Type: m.Kind, Signature: m.Detail, Start: start, End: end})
	}
	r.Metadata = map[string]any{matchesKey: kinds}
	k.reply(j, r)
}

func inspect(k *kernel, j job) {
	var req wire.InspectRequest
	if err := j.Into(&req); err != nil {
		k.reply(j, wire.ErrorReply{EName: "bad request", EValue: err.Error()})
		return
	}
	i := k.host.Inspect(req.Code, byteOffset(req.Code, req.CursorPos), req.DetailLevel)
	r := wire.InspectReply{Status: wire.StatusOK, Found: i.Found}
	if i.Found {
		r.Data = map[string]any{"text/plain": i.Text}
		if i.Markdown != "" {
			r.Data["text/markdown"] = i.Markdown
		}
	}
	k.reply(j, r)
}

// byteOffset is where the n-th Unicode character of s begins.
func byteOffset(s string, n int) int {
	for i := range s {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(s)
}

// runeOffset is the number of Unicode characters before byte n of s.
func runeOffset(s string, n int) int {
	return utf8.RuneCountInString(s[:min(max(n, 0), len(s))])
}
