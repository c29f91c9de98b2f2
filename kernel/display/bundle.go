// Package display is where cells, pictures and training meet the notebook:
// outputs in several MIME types, a place to send them, a progress line, input,
// and widgets. It works without a notebook too: then text goes to the terminal.
//
// Cells written for gophernotes find its display package here: the functions
// that make a Data, the MIMEType names, and the interfaces by which a type says
// how it is shown.
package display

import "maps"

// Bundle is one thing in several forms: MIME type to data. Text types hold a
// string, images and PDF hold the raw bytes ([]byte; the wire encodes them as
// base64), application/json holds anything encoding/json takes. A front end
// shows the richest form it knows, so a bundle should always hold text/plain.
type Bundle map[string]any

// MIMEBundle makes a Bundle a Displayer.
func (b Bundle) MIMEBundle() map[string]any { return b }

// Displayer is a value that knows its own forms. A cell's last value that is
// one is shown by them.
type Displayer interface {
	MIMEBundle() map[string]any
}

// MIMEMap is the plain type of Data's fields: MIME type to data, or to an
// object of metadata.
type MIMEMap = map[string]any

// Data is one output: a bundle with what a front end is told about it. Its
// fields have plain types, so that a library can return the same struct
// without importing this package.
type Data struct {
	Data      MIMEMap // the forms, as in a Bundle
	Metadata  MIMEMap // MIME type → object, such as {"width": 300}; may be nil
	Transient MIMEMap // not saved; "display_id" names the output; may be nil
}

// MIMEBundle makes Data a Displayer.
func (d Data) MIMEBundle() map[string]any { return d.Data }

// Text is the text/plain form.
func (d Data) Text() string {
	s, _ := d.Data[MIMEText].(string)
	return s
}

// merge adds the forms and metadata of other to d, which are its own after it.
func (d *Data) merge(other Data) {
	d.Data = joined(d.Data, other.Data)
	d.Metadata = joined(d.Metadata, other.Metadata)
	d.Transient = joined(d.Transient, other.Transient)
}

// joined is a new map with the entries of a and, before them, of b; nil when
// there are none.
func joined(a, b MIMEMap) MIMEMap {
	if len(a)+len(b) == 0 {
		return nil
	}
	m := make(MIMEMap, len(a)+len(b))
	maps.Copy(m, a)
	maps.Copy(m, b)
	return m
}

// The MIME types that front ends know.
const (
	MIMEText     = "text/plain"
	MIMEHTML     = "text/html"
	MIMEMarkdown = "text/markdown"
	MIMELatex    = "text/latex"
	MIMEPNG      = "image/png"
	MIMEJPEG     = "image/jpeg"
	MIMESVG      = "image/svg+xml"
	MIMEPDF      = "application/pdf"
	MIMEJSON     = "application/json"
	MIMEScript   = "application/javascript"
	MIMEWidget   = "application/vnd.jupyter.widget-view+json"
)

// The same under the names of gophernotes.
const (
	MIMETypeText       = MIMEText
	MIMETypeHTML       = MIMEHTML
	MIMETypeMarkdown   = MIMEMarkdown
	MIMETypeLatex      = MIMELatex
	MIMETypePNG        = MIMEPNG
	MIMETypeJPEG       = MIMEJPEG
	MIMETypeSVG        = MIMESVG
	MIMETypePDF        = MIMEPDF
	MIMETypeJSON       = MIMEJSON
	MIMETypeJavaScript = MIMEScript
)
