package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/chestlab/chest/internal/durable"
)

// Write writes the notebook to path as nbformat does: keys sorted, indented by
// one space, multi-line text as a list of lines. The file is replaced in one
// step, so a reader sees the old or the new one, and a crash leaves one of
// them.
func (nb *Notebook) Write(path string) error {
	data, err := nb.Bytes()
	if err != nil {
		return err
	}
	return WriteFile(path, data)
}

// Bytes is the notebook as it is written to a file.
func (nb *Notebook) Bytes() ([]byte, error) {
	o := object(nb.extra)
	o["nbformat"], o["nbformat_minor"], o["metadata"] = 4, nb.Minor, object(nb.Metadata)
	cells := make([]any, len(nb.Cells))
	for i, c := range nb.Cells {
		cells[i] = c.object()
	}
	o["cells"] = cells
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(o); err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	return b.Bytes(), nil
}

// object is a copy of m that can be added to.
func object(m map[string]any) map[string]any {
	c := make(map[string]any, len(m)+8)
	maps.Copy(c, m)
	return c
}

func (c *Cell) object() map[string]any {
	o := object(c.extra)
	o["cell_type"], o["source"], o["metadata"] = c.Kind, lines(c.Source), object(c.Metadata)
	if c.ID != "" {
		o["id"] = c.ID
	}
	if c.Kind == Code {
		outputs := make([]any, len(c.Outputs))
		for i, out := range c.Outputs {
			outputs[i] = out.object()
		}
		o["outputs"], o["execution_count"] = outputs, count(c.Count)
	}
	return o
}

func (out *Output) object() map[string]any {
	o := object(out.extra)
	o["output_type"] = out.Kind
	switch out.Kind {
	case StreamOutput:
		o["name"], o["text"] = out.Name, lines(out.Text)
	case DisplayOutput, ResultOutput:
		data := object(out.Data)
		for mime, v := range data {
			if s, ok := v.(string); ok && splits(mime) {
				data[mime] = lines(s)
			}
		}
		o["data"], o["metadata"] = data, object(out.Metadata)
		if out.Kind == ResultOutput {
			o["execution_count"] = count(out.Count)
		}
	case ErrorOutput:
		o["ename"], o["evalue"], o["traceback"] = out.EName, out.EValue, append([]string{}, out.Traceback...)
	}
	return o
}

// count is an execution count, null for 0.
func count(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// splits says whether nbformat writes the data of a MIME type as lines.
func splits(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" || mime == "application/javascript"
}

// lines splits s after every newline; "" has no line.
func lines(s string) []string {
	all := strings.SplitAfter(s, "\n")
	if last := len(all) - 1; all[last] == "" {
		all = all[:last]
	}
	return all
}

// WriteFile writes data to path in one step; see durable.Write.
func WriteFile(path string, data []byte) error {
	err := durable.Write(path, func(w io.Writer) error { _, err := w.Write(data); return err })
	if err != nil {
		return fmt.Errorf("notebook: writing %s: %w", path, err)
	}
	return nil
}
