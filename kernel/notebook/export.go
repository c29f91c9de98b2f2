package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	_ "image/gif" // for DecodeConfig and Decode
	_ "image/jpeg"
	"image/png"
	"path"
	"regexp"
	"slices"
	"strings"

	_ "golang.org/x/image/webp"
)

// ExportOptions controls Markdown and LaTeX.
type ExportOptions struct {
	Title   string // "" means the first heading, or "Notebook"
	Dir     string // where the pictures of Markdown cells lie; "" means that only attachments are shown
	Name    string // of the document, without folder and ending; "" means "notebook"
	NoInput bool   // leaves the code out
}

// Document is an exported notebook: a text and the files that it shows.
type Document struct {
	Text  string
	Files []File
}

// File is a picture beside a Document. Name begins with the folder
// Options.Name_files, as nbconvert has it, and is separated by slashes.
type File struct {
	Name string
	Data []byte
}

// document gathers the files of a document as it is written.
type document struct {
	o     ExportOptions
	cell  int // from 0
	files []File
}

func newDocument(o ExportOptions) *document {
	if o.Name == "" {
		o.Name = "notebook"
	}
	return &document{o: o}
}

// add keeps a file, one for equal contents, and gives its name in the document.
func (d *document) add(data []byte, name string) string {
	for _, f := range d.files {
		if bytes.Equal(f.Data, data) {
			return f.Name
		}
	}
	full := d.folder() + "/" + name
	for n := 2; slices.ContainsFunc(d.files, func(f File) bool { return f.Name == full }); n++ {
		full = fmt.Sprintf("%s/%d-%s", d.folder(), n, name)
	}
	d.files = append(d.files, File{Name: full, Data: data})
	return full
}

// folder is the name of the folder of the files: what Markdown, LaTeX or a shell
// would read in a name is replaced.
func (d *document) folder() string { return safeName(d.o.Name) + "_files" }

// unsafeSigns are the characters that a name of a file in a document must not
// have.
var unsafeSigns = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// safeName is s as a name that needs no escaping.
func safeName(s string) string { return strings.TrimLeft(unsafeSigns.ReplaceAllString(s, "-"), ".-") }

// outputName is the name of the picture of an output, as nbconvert gives it:
// NAME_CELL_OUTPUT.png, counted from 0.
func (d *document) outputName(output int, ending string) string {
	return fmt.Sprintf("%s_%d_%d.%s", safeName(d.o.Name), d.cell, output, ending)
}

// endings are the MIME types of pictures and the endings of their files.
var endings = map[string]string{
	"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg", "image/gif": "gif", "image/webp": "webp", "application/pdf": "pdf",
}

// picture is the data of a picture of an output; an error says that it is none.
func (out *Output) picture(mime string) ([]byte, error) {
	text, _ := out.Data[mime].(string)
	if mime == "image/svg+xml" {
		return []byte(text), nil
	}
	data, err := base64.StdEncoding.DecodeString(compact(text))
	if err != nil {
		return nil, fmt.Errorf("%s is no base64: %w", mime, err)
	}
	return data, nil
}

// first is the first of the MIME types that the output has, "" without one.
func (out *Output) first(order ...string) string {
	at := slices.IndexFunc(order, func(mime string) bool { return out.Data[mime] != nil })
	if at < 0 {
		return ""
	}
	return order[at]
}

// errorText is the text of an error output, with colours.
func (out *Output) errorText() string {
	text := strings.Join(out.Traceback, "\n")
	if strings.TrimSpace(text) == "" {
		text = out.EName + ": " + out.EValue
	}
	return text
}

// plainForm is the output as text: what it says of itself, or else the words of
// its HTML.
func (out *Output) plainForm() string {
	text, _ := out.Data["text/plain"].(string)
	if t := strings.TrimSpace(text); t != "" && t != "<html>" {
		return plain(text)
	}
	if h, ok := out.Data["text/html"].(string); ok {
		return htmlWords(h)
	}
	return plain(text)
}

var (
	hiddenHTML = regexp.MustCompile(`(?is)<!--.*?-->|<(script|style|head|title)\b.*?</(script|style|head|title)\s*>`)
	breakHTML  = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/li|/h[1-6]|/pre|/table)\b[^>]*>`)
	cellHTML   = regexp.MustCompile(`(?i)</t[dh]\s*>`)
	anyHTML    = regexp.MustCompile(`(?s)</?[A-Za-z][^>]*>`)
)

// htmlWords is what a page shows in words, lines and cells apart.
func htmlWords(s string) string {
	s = hiddenHTML.ReplaceAllString(s, " ")
	s = strings.Join(strings.Fields(s), " ")
	s = breakHTML.ReplaceAllString(s, "\n")
	s = cellHTML.ReplaceAllString(s, "  ")
	s = plain(html.UnescapeString(anyHTML.ReplaceAllString(s, "")))
	var kept []string
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}

// asPNG is a picture that LaTeX can set: PNG and JPEG as they are, GIF and WebP
// as PNG. size is in pixels; ending is "" for what is no picture.
func asPNG(data []byte) (out []byte, ending string, size image.Point) {
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width*c.Height > 1<<28 {
		return nil, "", size
	}
	size = image.Pt(c.Width, c.Height)
	switch format {
	case "png":
		return data, "png", size
	case "jpeg":
		return data, "jpg", size
	}
	m, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, "", size
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return nil, "", size
	}
	return b.Bytes(), "png", size
}

// HasOutputs says whether a code cell of the notebook has an output: without
// one it was not run, or saved without them.
func (nb *Notebook) HasOutputs() bool {
	return slices.ContainsFunc(nb.Cells, func(c *Cell) bool { return len(c.Outputs) > 0 })
}

// HasCode says whether a cell of the notebook has something to run.
func (nb *Notebook) HasCode() bool {
	return slices.ContainsFunc(nb.Cells, func(c *Cell) bool { return c.Kind == Code && !c.blank() })
}

// title is the title of a document.
func (nb *Notebook) title(asked string) string {
	if asked == "" {
		asked = nb.Title()
	}
	if asked == "" {
		asked = "Notebook"
	}
	return plain(asked)
}

// base is the name of a file without folder and ending.
func base(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.TrimSuffix(name, path.Ext(name))
}
