package viz

import (
	"bytes"
	"fmt"
	"io"
	"regexp"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/chestlab/chest/internal/durable"
)

// painter is what a figure must know of itself; forms makes the rest of it.
type painter interface {
	Option() ([]byte, error)
	Alt() string
	// bounds is the size of the picture in pixels of the notebook.
	bounds() (w, h int)
	// paint draws the picture on a white sheet of that size, whatever the
	// format. A number that cannot be drawn is an error, as in Option.
	paint(s *sheet) error
}

// forms is the part of a figure that is the same for all: files in three
// formats, and the output of a cell. A figure embeds it, and its function sets
// it to forms{f}.
type forms struct{ of painter }

// PNG is the picture as a PNG file with two pixels for each of the notebook's,
// each way, and at most 256 colours unless it holds photographs. It shows what the interactive form shows.
// A number that cannot be drawn is an error that names its series and row.
func (f forms) PNG() ([]byte, error) { return still(f.of, sharp) }

// SVG is the picture as an SVG file, for drawing programs and web pages. Text
// stays text; it is set in Liberation Sans, or where that is missing in another
// sans-serif font. The same figure gives the same bytes.
func (f forms) SVG() ([]byte, error) {
	w, h := f.of.bounds()
	b, err := vector(f.of, vgsvg.New(vg.Length(w)*px, vg.Length(h)*px))
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(b, []byte(`style="font-family:Liberation Sans;`), []byte(`style="font-family:'Liberation Sans',Arial,Helvetica,sans-serif;`)), nil
}

// PDF is the picture as a PDF file of one page, for papers. Letters are shapes:
// the file needs no font and holds none. The same figure gives the same bytes.
func (f forms) PDF() ([]byte, error) {
	w, h := f.of.bounds()
	b, err := vector(f.of, page{vgpdf.New(vg.Length(w)*px, vg.Length(h)*px)})
	if err != nil {
		return nil, err
	}
	return clock.ReplaceAll(b, []byte("Date (D:19700101000000)")), nil
}

// clock is a time of writing in a PDF file. What takes its place has the same
// length: a PDF file counts its bytes.
var clock = regexp.MustCompile(`Date \(D:[0-9]{14}\)`)

// SavePNG writes PNG to a file, whole or not at all.
func (f forms) SavePNG(path string) error { return save(path, f.PNG) }

// SaveSVG writes SVG to a file, whole or not at all.
func (f forms) SaveSVG(path string) error { return save(path, f.SVG) }

// SavePDF writes PDF to a file, whole or not at all.
func (f forms) SavePDF(path string) error { return save(path, f.PDF) }

// MIMEBundle is the picture in all the forms that a notebook takes: an
// interactive chart, a PNG, and a line of text.
func (f forms) MIMEBundle() map[string]any { return message(f.of) }

// save writes what form returns to a file.
func save(path string, form func() ([]byte, error)) error {
	b, err := form()
	if err != nil {
		return err
	}
	err = durable.Write(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if err != nil {
		return fmt.Errorf("viz: saving a picture: %w", err)
	}
	return nil
}

// still is the picture as a PNG file with scale×scale pixels for each of the
// notebook's.
func still(f painter, scale int) ([]byte, error) {
	w, h := f.bounds()
	img := vgimg.NewWith(vgimg.UseWH(vg.Length(w)*px, vg.Length(h)*px), vgimg.UseDPI(96*scale))
	if err := f.paint(newSheet(img, w, h)); err != nil {
		return nil, err
	}
	return encodePNG(img.Image(), !photographic(f))
}

// photographic says whether 256 colours are too few for a picture: whether it
// has a method of this name that says so.
func photographic(f painter) bool {
	p, ok := f.(interface{ photographic() bool })
	return ok && p.photographic()
}

// vector is the picture painted on to, which writes itself.
func vector(f painter, to vg.CanvasWriterTo) ([]byte, error) {
	w, h := f.bounds()
	s := newSheet(to, w, h)
	s.vector = true
	if err := f.paint(s); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := to.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("viz: writing a picture: %w", err)
	}
	return b.Bytes(), nil
}
