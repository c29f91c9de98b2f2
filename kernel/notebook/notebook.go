// Package notebook reads, runs and writes Jupyter notebooks without Jupyter:
// the .ipynb format, parameters, a run in a fresh kernel process, and documents:
// one HTML page that needs nothing else, Markdown, LaTeX, PDF.
//
// Source: the notebook format, version 4 (nbformat 4.0 to 4.5), and the
// messaging protocol of package wire.
package notebook

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
)

// Notebook is a notebook file. Fields that this package does not know are kept
// from Read to Write.
type Notebook struct {
	Cells    []*Cell
	Metadata map[string]any // numbers are json.Number
	Minor    int            // of nbformat 4

	extra map[string]any
}

// The kinds of cells.
const (
	Code     = "code"
	Markdown = "markdown"
	Raw      = "raw"
)

// Cell is one cell. Count and Outputs belong to code cells.
type Cell struct {
	Kind     string
	ID       string // "" before nbformat 4.5
	Source   string
	Metadata map[string]any
	Count    int // In[Count]; 0 is null: never run
	Outputs  []*Output

	extra map[string]any
}

// The kinds of outputs.
const (
	StreamOutput  = "stream"
	DisplayOutput = "display_data"
	ResultOutput  = "execute_result"
	ErrorOutput   = "error"
)

// Output is one output of a code cell. Which fields count depends on Kind.
type Output struct {
	Kind string

	Name string // stream: "stdout" or "stderr"
	Text string // stream

	Data     map[string]any // display, result: MIME type to string or, for JSON types, any value
	Metadata map[string]any // display, result: of the MIME types
	Count    int            // result

	EName     string   // error
	EValue    string   // error
	Traceback []string // error, may hold ANSI colours

	extra map[string]any
}

// Tags is the cell's metadata.tags.
func (c *Cell) Tags() []string {
	list, _ := c.Metadata["tags"].([]any)
	var tags []string
	for _, t := range list {
		if s, ok := t.(string); ok {
			tags = append(tags, s)
		}
	}
	return tags
}

// tagged says whether the cell has a tag.
func (c *Cell) tagged(tag string) bool { return slices.Contains(c.Tags(), tag) }

// blank says whether there is nothing to run.
func (c *Cell) blank() bool { return strings.TrimSpace(c.Source) == "" }

// Title is the text of the first Markdown heading, "" without one.
func (nb *Notebook) Title() string {
	for _, c := range nb.Cells {
		if c.Kind != Markdown {
			continue
		}
		if t := firstHeading(c.Source); t != "" {
			return t
		}
	}
	return ""
}

// newID is a cell id as nbformat makes them.
func newID() string {
	b := make([]byte, 4)
	rand.Read(b)
	return hex.EncodeToString(b)
}
