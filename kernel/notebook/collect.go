package notebook

import (
	"fmt"
	"strings"

	"github.com/chestlab/chest/kernel/wire"
)

// maxStream bounds the stream text that one cell keeps.
const maxStream = 16 << 20

// collector turns the messages of iopub into outputs of cells, as a front end
// does. Messages belong to the cell whose request is their parent, also when
// a later cell runs.
type collector struct {
	cells    map[string]*collected // by id of the execute_request
	displays map[string][]*Output  // by display id
}

// collected is a cell and the state of its outputs.
type collected struct {
	cell  *Cell
	clear bool // before the next output
	bytes int  // of stream text
	over  bool // more than maxStream

	// text grows the text of the last output when that is a stream: a Builder,
	// so that many small pieces are not copied again and again.
	text strings.Builder
}

func newCollector() *collector {
	return &collector{cells: map[string]*collected{}, displays: map[string][]*Output{}}
}

// add begins a cell.
func (c *collector) add(id string, cell *Cell) { c.cells[id] = &collected{cell: cell} }

// take applies a message. Messages that it cannot read are ignored.
func (c *collector) take(m wire.Message) {
	if m.Header.MsgType == "update_display_data" {
		c.update(m)
		return
	}
	k := c.cells[m.Parent.MsgID]
	if k == nil {
		return
	}
	switch m.Header.MsgType {
	case "stream":
		var s wire.Stream
		if m.Into(&s) == nil && s.Text != "" {
			k.stream(s)
		}
	case "display_data", "execute_result":
		c.show(k, m)
	case "error":
		var e wire.Error
		if m.Into(&e) == nil {
			k.append(&Output{Kind: ErrorOutput, EName: e.EName, EValue: e.EValue, Traceback: e.Traceback})
		}
	case "clear_output":
		var o wire.ClearOutput
		if m.Into(&o) == nil {
			k.clear = true
			if !o.Wait {
				k.clearNow()
			}
		}
	case "execute_input":
		var in wire.ExecuteInput
		if m.Into(&in) == nil {
			k.cell.Count = in.ExecutionCount
		}
	}
}

// clearNow removes the outputs when that was asked for.
func (k *collected) clearNow() {
	if k.clear {
		k.cell.Outputs, k.clear, k.bytes, k.over = nil, false, 0, false
	}
}

func (k *collected) append(out *Output) {
	k.clearNow()
	k.cell.Outputs = append(k.cell.Outputs, out)
}

// stream adds text, to the last output when that is the same stream.
func (k *collected) stream(s wire.Stream) {
	k.clearNow()
	if k.over {
		return
	}
	if k.bytes += len(s.Text); k.bytes > maxStream {
		k.over = true
		k.append(&Output{Kind: StreamOutput, Name: "stderr",
			Text: fmt.Sprintf("\n[the rest of the text is not kept: more than %d MiB]\n", maxStream>>20)})
		return
	}
	if n := len(k.cell.Outputs); n > 0 {
		if last := k.cell.Outputs[n-1]; last.Kind == StreamOutput && last.Name == s.Name {
			k.text.WriteString(s.Text)
			last.Text = k.text.String()
			return
		}
	}
	k.text.Reset()
	k.text.WriteString(s.Text)
	k.append(&Output{Kind: StreamOutput, Name: s.Name, Text: k.text.String()})
}

// show adds a display or the result.
func (c *collector) show(k *collected, m wire.Message) {
	var r wire.ExecuteResult
	if m.Into(&r) != nil {
		return
	}
	out := &Output{Kind: m.Header.MsgType, Count: r.ExecutionCount}
	out.set(r.Data, r.Metadata)
	k.append(out)
	if id := r.Transient.DisplayID; id != "" {
		c.displays[id] = append(c.displays[id], out)
	}
}

// update replaces what is shown under a display id, in whatever cell.
func (c *collector) update(m wire.Message) {
	var d wire.DisplayData
	if m.Into(&d) != nil {
		return
	}
	for _, out := range c.displays[d.Transient.DisplayID] {
		out.set(d.Data, d.Metadata)
	}
}

// set takes the data of a message, with text in one piece.
func (out *Output) set(data, metadata map[string]any) {
	for mime, v := range data {
		if s, ok := joined(v); ok && !isJSON(mime) {
			data[mime] = s
		}
	}
	out.Data, out.Metadata = data, metadata
}

// line is the one line of text that a display message shows, for the
// progress on a terminal; "" when it shows more.
func line(m wire.Message) string {
	s := strings.TrimSpace(textOf(m))
	if strings.Contains(s, "\n") {
		return ""
	}
	return plain(s)
}

// textOf is the plain text of a display.
func textOf(m wire.Message) string {
	var d wire.DisplayData
	if m.Into(&d) != nil {
		return ""
	}
	s, _ := joined(d.Data["text/plain"])
	return s
}
