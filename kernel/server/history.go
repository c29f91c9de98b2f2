package server

import (
	"slices"
	"sync"

	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

// history is the cells of this session. It is kept in memory only.
type history struct {
	mu    sync.Mutex
	cells []pastCell
}

// pastCell is a cell that ran.
type pastCell struct {
	line   int
	code   string
	output any // the text of its value, or nil
}

// maxHistory bounds the cells that are kept.
const maxHistory = 10000

func (h *history) add(line int, code string, shown worker.Bundle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.cells) == maxHistory {
		h.cells = slices.Delete(h.cells, 0, maxHistory/10)
	}
	c := pastCell{line: line, code: code}
	if text, ok := shown.Text(); ok {
		c.output = text
	}
	h.cells = append(h.cells, c)
}

// answer is the rows for a request: [session, line, input], or [session, line,
// [input, output]].
func (h *history) answer(req wire.HistoryRequest) []any {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.cells
	switch req.HistAccessType {
	case "range":
		found = h.between(req)
	case "search":
		found = h.search(req)
	}
	if n := req.N; req.HistAccessType != "range" && n > 0 && len(found) > n {
		found = found[len(found)-n:]
	}
	rows := make([]any, 0, len(found))
	for _, c := range found {
		var cell any = c.code
		if req.Output {
			cell = []any{c.code, c.output}
		}
		rows = append(rows, []any{session, c.line, cell})
	}
	return rows
}

// session is the number of this session; 0 in a request means it too.
const session = 1

// between lists the lines from start, up to but without stop; stop 0 means all.
func (h *history) between(req wire.HistoryRequest) (found []pastCell) {
	if req.Session != 0 && req.Session != session {
		return nil
	}
	for _, c := range h.cells {
		if c.line >= req.Start && (req.Stop <= 0 || c.line < req.Stop) {
			found = append(found, c)
		}
	}
	return found
}

// search lists the cells that match a pattern of * and ?; unique keeps the
// last of equal ones.
func (h *history) search(req wire.HistoryRequest) (found []pastCell) {
	for _, c := range h.cells {
		if match(req.Pattern, c.code) {
			found = append(found, c)
		}
	}
	if !req.Unique {
		return found
	}
	seen := map[string]bool{}
	var last []pastCell
	for _, c := range slices.Backward(found) {
		if !seen[c.code] {
			seen[c.code] = true
			last = append(last, c)
		}
	}
	slices.Reverse(last)
	return last
}

// match says whether s has the form of pattern, in which * stands for any
// text and ? for any one character. An empty pattern fits all.
func match(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	p, t := []rune(pattern), []rune(s)
	star, from := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
