package notebook

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
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

// WriteFile writes data to path in one step: to a new file beside it, synced,
// then renamed. A file that was there keeps its mode and, behind a symbolic
// link, its place; what is no ordinary file, such as /dev/stdout, is written
// to directly.
func WriteFile(path string, data []byte) error {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		path = p
	}
	mode := os.FileMode(0o666) // before the umask
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		if err := os.WriteFile(path, data, mode); err != nil {
			return fmt.Errorf("notebook: %w", err)
		}
		return nil
	}
	temp := temporary(path)
	defer os.Remove(temp)
	if err2 := writeSynced(temp, data, mode); err2 != nil {
		return fmt.Errorf("notebook: writing %s: %w", path, err2)
	}
	if err == nil {
		os.Chmod(temp, st.Mode().Perm())
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("notebook: %w", err)
	}
	syncDir(filepath.Dir(path))
	return nil
}

// temporary is a hidden name beside path that nobody has.
func temporary(path string) string {
	b := make([]byte, 6)
	rand.Read(b)
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+hex.EncodeToString(b))
}

// writeSynced writes a new file and waits until it is on the disk.
func writeSynced(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// syncDir makes a rename in dir last. Systems that cannot do it need not.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}
