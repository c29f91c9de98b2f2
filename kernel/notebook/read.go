package notebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxFile bounds a notebook file.
const maxFile = 512 << 20

// Read reads the notebook file at path. An error is one sentence that names
// the file and, for broken JSON, the line and the column.
func Read(path string) (*Notebook, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	nb, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("notebook: %s: %w", path, err)
	}
	return nb, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s has more than %d MiB", path, maxFile>>20)
	}
	return data, err
}

// Parse reads the bytes of a notebook file.
func Parse(data []byte) (*Notebook, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, broken(data, err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, broken(data, err)
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("not a notebook: the file holds %s, want an object", kind(v))
	}
	r := reader{}
	nb := r.notebook(top)
	return nb, r.err
}

// broken turns a JSON error into one with line and column, both from 1.
func broken(data []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return fmt.Errorf("broken JSON: %w", err)
	}
	at := min(syntax.Offset, int64(len(data)))
	if at > 0 && syntax.Error() != "unexpected end of JSON input" {
		at-- // the offset counts the wrong byte
	}
	before := data[:at]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1
	return fmt.Errorf("line %d, column %d: broken JSON: %w", line, column, err)
}

// reader takes known fields out of JSON objects; what is left is kept as
// extra. It remembers the first error.
type reader struct {
	where string // the cell being read
	err   error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = errors.New(r.where + fmt.Sprintf(format, args...))
	}
}

func (r *reader) notebook(o map[string]any) *Notebook {
	major, ok := o["nbformat"].(json.Number)
	if !ok {
		r.fail(`not a notebook: it has no "nbformat"`)
		return nil
	}
	if major.String() != "4" {
		r.fail("nbformat %s is not supported: convert it with jupyter nbconvert --to notebook --nbformat 4", major)
		return nil
	}
	delete(o, "nbformat")
	nb := &Notebook{Minor: r.int(o, "nbformat_minor"), Metadata: r.object(o, "metadata")}
	cells := r.list(o, "cells")
	for i, v := range cells {
		r.where = fmt.Sprintf("cell %d: ", i+1)
		c, ok := v.(map[string]any)
		if !ok {
			r.fail("%s, want an object", kind(v))
			return nil
		}
		nb.Cells = append(nb.Cells, r.cell(c))
	}
	r.where = ""
	nb.extra = o
	return nb
}

func (r *reader) cell(o map[string]any) *Cell {
	c := &Cell{
		Kind: r.text(o, "cell_type"), ID: r.text(o, "id"), Source: r.text(o, "source"),
		Metadata: r.object(o, "metadata"),
	}
	if c.Kind != Code && c.Kind != Markdown && c.Kind != Raw {
		r.fail("cell_type is %q, want code, markdown or raw", c.Kind)
	}
	if c.Kind == Code {
		c.Count = r.int(o, "execution_count")
		for i, v := range r.list(o, "outputs") {
			out, ok := v.(map[string]any)
			if !ok {
				r.fail("output %d is %s, want an object", i+1, kind(v))
				break
			}
			c.Outputs = append(c.Outputs, r.output(out))
		}
	}
	c.extra = o
	return c
}

func (r *reader) output(o map[string]any) *Output {
	out := &Output{Kind: r.text(o, "output_type")}
	switch out.Kind {
	case StreamOutput:
		out.Name, out.Text = r.text(o, "name"), r.text(o, "text")
	case DisplayOutput, ResultOutput:
		out.Data, out.Metadata = r.object(o, "data"), r.object(o, "metadata")
		for mime, v := range out.Data {
			if s, ok := joined(v); ok && !isJSON(mime) {
				out.Data[mime] = s
			}
		}
		if out.Kind == ResultOutput {
			out.Count = r.int(o, "execution_count")
		}
	case ErrorOutput:
		out.EName, out.EValue = r.text(o, "ename"), r.text(o, "evalue")
		for _, v := range r.list(o, "traceback") {
			s, _ := v.(string)
			out.Traceback = append(out.Traceback, s)
		}
	}
	out.extra = o // of an unknown kind: everything
	return out
}

// text takes a string, or a list of strings that are joined; absent is "".
func (r *reader) text(o map[string]any, key string) string {
	v, ok := o[key]
	if !ok {
		return ""
	}
	s, ok := joined(v)
	if !ok {
		r.fail("%s is %s, want text or a list of lines", key, kind(v))
	}
	delete(o, key)
	return s
}

// int takes a whole number; absent and null are 0.
func (r *reader) int(o map[string]any, key string) int {
	v := o[key]
	delete(o, key)
	if v == nil {
		return 0
	}
	n, ok := v.(json.Number)
	i, err := n.Int64()
	if !ok || err != nil || i < 0 || i > 1<<31 {
		r.fail("%s is %v, want a whole number", key, kindOr(v, n))
	}
	return int(i)
}

// object takes an object; absent is an empty one.
func (r *reader) object(o map[string]any, key string) map[string]any {
	v, ok := o[key]
	delete(o, key)
	m, isObject := v.(map[string]any)
	if ok && !isObject {
		r.fail("%s is %s, want an object", key, kind(v))
	}
	if m == nil {
		m = map[string]any{}
	}
	return m
}

// list takes a list; absent is an empty one.
func (r *reader) list(o map[string]any, key string) []any {
	v, ok := o[key]
	delete(o, key)
	l, isList := v.([]any)
	if ok && !isList {
		r.fail("%s is %s, want a list", key, kind(v))
	}
	return l
}

// joined is a multi-line string of the format: a string or a list of strings.
func joined(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []any:
		var b strings.Builder
		for _, line := range v {
			s, ok := line.(string)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		}
		return b.String(), true
	}
	return "", false
}

// isJSON says whether the data of a MIME type is a JSON value and no text.
func isJSON(mime string) bool {
	return mime == "application/json" || strings.HasPrefix(mime, "application/") && strings.HasSuffix(mime, "+json")
}

// kind names the JSON type of v for an error.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a truth value"
	case json.Number:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	}
	return "an object"
}

// kindOr is the number itself, or the kind of what should have been one.
func kindOr(v any, n json.Number) string {
	if n != "" {
		return n.String()
	}
	return kind(v)
}
