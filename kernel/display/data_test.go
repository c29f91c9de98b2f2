package display

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func pngBytes(w, h int) []byte {
	return Image(image.NewGray(image.Rect(0, 0, w, h))).Data[MIMEPNG].([]byte)
}

// TestMakers checks the forms, the text and the metadata of what the functions
// make.
func TestMakers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.png")
	if err := os.WriteFile(file, pngBytes(4, 3), 0o644); err != nil {
		t.Fatal(err)
	}
	sized := `{"image/png":{"height":3,"width":4}}`
	for _, c := range []struct {
		name       string
		d          Data
		mime, text string
		metadata   string
	}{
		{"Text", Text("a"), MIMEText, "a", "null"},
		{"HTML", HTML("<p>a &amp;\n<b>b</b><style>x{}</style></p>"), MIMEHTML, "a & b", "null"},
		{"HTML without text", HTML("<img src=x>"), MIMEHTML, "<html>", "null"},
		{"Markdown", Markdown("* a"), MIMEMarkdown, "* a", "null"},
		{"SVG", SVG("<svg/>"), MIMESVG, "<svg>", "null"},
		{"JavaScript", JavaScript("alert(1)"), MIMEScript, "<javascript>", "null"},
		{"JSON", JSON(map[string]any{"a": 1}), MIMEJSON, "map[a:1]", "null"},
		{"PNG", PNG(pngBytes(4, 3)), MIMEPNG, "<png, ", sized},
		{"JPEG, broken", JPEG([]byte{1, 2}), MIMEJPEG, "<jpeg, 2 bytes>", "null"},
		{"PDF", PDF([]byte("%PDF-1.4")), MIMEPDF, "<pdf, 8 bytes>", "null"},
		{"Image", Image(image.NewGray(image.Rect(0, 0, 4, 3))), MIMEPNG, "<image, 4×3>", sized},
		{"MIME", MIME(MIMEMap{MIMEHTML: "<i>x</i>"}, MIMEMap{"a": 1}), MIMEHTML, "x", `{"a":1}`},
		{"MakeData", MakeData(MIMEMarkdown, "x"), MIMEMarkdown, "x", "null"},
		{"MakeData3", MakeData3(MIMEHTML, "y", "<b>y</b>"), MIMEHTML, "y", "null"},
		{"File", File("", file), MIMEPNG, "<png, ", sized},
		{"File, missing", File("", file+"x"), MIMEText, "display: open ", "null"},
		{"Any string", Any(MIMEMarkdown, "z"), MIMEMarkdown, "z", "null"},
		{"Any bytes of text", Any(MIMEHTML, []byte("<b>z</b>")), MIMEHTML, "<b>z</b>", "null"},
		{"Any reader", Any("", strings.NewReader(string(pngBytes(4, 3)))), MIMEPNG, "<png, ", sized},
		{"Any writer", Any(MIMESVG, writerTo("<svg/>")), MIMESVG, "<svg/>", "null"},
		{"Auto string", Auto("x"), MIMEText, "x", "null"},
		{"Auto bytes", Auto(pngBytes(4, 3)), MIMEPNG, "<png, ", sized},
		{"Auto image", Auto(image.NewGray(image.Rect(0, 0, 4, 3))), MIMEPNG, "<image, 4×3>", sized},
		{"Auto number", Auto(3), MIMEText, "3", "null"},
	} {
		if _, ok := c.d.Data[c.mime]; !ok || !strings.HasPrefix(c.d.Text(), c.text) {
			t.Errorf("%s: %v", c.name, c.d.Data)
		}
		if m, _ := json.Marshal(c.d.Metadata); string(m) != c.metadata {
			t.Errorf("%s: metadata %s, want %s", c.name, m, c.metadata)
		}
	}
}

type writerTo string

func (w writerTo) WriteTo(b io.Writer) (int64, error) {
	n, err := b.Write([]byte(w))
	return int64(n), err
}

func TestLatexHasDollars(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Latex("a").Data[MIMELatex].(string), "$a$"},
		{Latex("$a$").Data[MIMELatex].(string), "$a$"},
		{Math("a").Data[MIMELatex].(string), "$$a$$"},
		{Math("$$a$$").Data[MIMELatex].(string), "$$a$$"},
		{Math("a").Text(), "a"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

// TestBytesAreBase64 as the wire needs it.
func TestBytesAreBase64(t *testing.T) {
	b, err := json.Marshal(PNG([]byte{1, 2, 3}).Data)
	if err != nil || !bytes.Contains(b, []byte(`"image/png":"AQID"`)) {
		t.Error(string(b), err)
	}
}

type many struct{}

func (many) HTML() string              { return "<b>m</b>" }
func (many) Markdown() string          { return "**m**" }
func (many) PNG() []byte               { return pngBytes(2, 2) }
func (many) SimpleRender() MIMEMap     { return MIMEMap{MIMELatex: "$m$"} }
func (many) MIMEBundle() MIMEMap       { return MIMEMap{MIMEJSON: 1} }
func (many) String() string            { return "many" }
func (many) SVG() string               { panic("no svg") }
func (many) JPEG() ([]byte, error)     { return nil, errors.New("not this shape") }
func (many) JavaScript(string) string  { return "nor this" }
func (many) Latexer(string, int) error { return nil }

// foreign is what a library can have without importing this package.
type foreign struct{}

func (foreign) Render() struct{ Data, Metadata, Transient map[string]any } {
	return struct{ Data, Metadata, Transient map[string]any }{
		Data: map[string]any{MIMEHTML: "<i>f</i>"}, Metadata: map[string]any{"a": 1},
	}
}

// TestFormsAreMerged: all that a value implements is in one output.
func TestFormsAreMerged(t *testing.T) {
	d := Render(many{})
	for _, mime := range []string{MIMEHTML, MIMEMarkdown, MIMEPNG, MIMELatex, MIMEJSON} {
		if d.Data[mime] == nil {
			t.Errorf("no %s in %v", mime, d.Data)
		}
	}
	if d.Text() != "display: SVG of display.many panicked: no svg" {
		t.Errorf("text %q", d.Text())
	}
	if len(d.Data) != 6 || d.Metadata[MIMEPNG] == nil {
		t.Error(d)
	}
	f := Render(foreign{})
	if f.Data[MIMEHTML] != "<i>f</i>" || f.Metadata["a"] != 1 || f.Text() != "f" {
		t.Error(f)
	}
	var none *image.Gray
	if Render(none).Text() != "<nil>" {
		t.Error(Render(none))
	}
}

// TestCellTypes: what the interpreter hands over for types of cells.
func TestCellTypes(t *testing.T) {
	v := struct {
		IValue    any
		WHTML     func() string
		WString   func() string
		WMarkdown func() string
	}{struct{ Xa int }{1}, func() string { return "<b>h</b>" }, func() string { return "s" }, func() string { return "*m*" }}
	d := Render(v)
	if d.Data[MIMEHTML] != "<b>h</b>" || d.Data[MIMEMarkdown] != "*m*" || d.Text() != "s" || len(d.Data) != 3 {
		t.Error(d)
	}
	e := struct {
		IValue any
		WError func() string
	}{1, func() string { return "broken" }}
	if s := Render(e).Text(); s != "broken" {
		t.Error(s)
	}
	p := struct {
		IValue any
		WHTML  func() string
	}{struct{ Xa int }{1}, func() string { panic("oh") }}
	if s := Render(p).Text(); s != "display: HTML of struct panicked: oh" {
		t.Error(s)
	}
}

// TestTransientName: a display_id in the data names the output.
func TestTransientName(t *testing.T) {
	r := record(t)
	Show(Data{Data: MIMEMap{MIMEText: "a"}, Transient: MIMEMap{"display_id": "here"}})
	if r.all[0].id != "here" {
		t.Error(r.all)
	}
}
