// Package display is where cells, pictures and training meet the notebook:
// bundles of MIME types, a place to send them, and a progress line. It works
// without a notebook too: then text goes to the terminal.
package display

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"maps"
)

// Bundle is one output in several forms: MIME type to data. Text types hold a
// string, images and PDF hold the raw bytes ([]byte; the wire encodes them as
// base64), application/json holds anything encoding/json takes. A front end
// shows the richest form it knows, so a bundle should always hold text/plain.
type Bundle map[string]any

// The MIME types that front ends know.
const (
	MIMEText     = "text/plain"
	MIMEHTML     = "text/html"
	MIMEMarkdown = "text/markdown"
	MIMELatex    = "text/latex"
	MIMEPNG      = "image/png"
	MIMEJPEG     = "image/jpeg"
	MIMESVG      = "image/svg+xml"
	MIMEJSON     = "application/json"
	MIMEScript   = "application/javascript"
)

// MIMEBundle makes a Bundle a Displayer.
func (b Bundle) MIMEBundle() map[string]any { return b }

// Displayer is a value that knows its own forms. A cell's last value that is
// one is shown by them.
type Displayer interface {
	MIMEBundle() map[string]any
}

// HTML is a bundle of one HTML fragment.
func HTML(s string) Bundle { return Bundle{MIMEHTML: s, MIMEText: "<html>"} }

// Markdown is a bundle of Markdown text.
func Markdown(s string) Bundle { return Bundle{MIMEMarkdown: s, MIMEText: s} }

// Latex is a bundle of LaTeX text, with its own $ signs.
func Latex(s string) Bundle { return Bundle{MIMELatex: s, MIMEText: s} }

// SVG is a bundle of one SVG document.
func SVG(s string) Bundle { return Bundle{MIMESVG: s, MIMEText: "<svg>"} }

// Text is a bundle of plain text.
func Text(s string) Bundle { return Bundle{MIMEText: s} }

// JSON is a bundle of a value that encoding/json takes.
func JSON(v any) Bundle { return Bundle{MIMEJSON: v, MIMEText: fmt.Sprint(v)} }

// PNG is a bundle of an encoded PNG file.
func PNG(data []byte) Bundle {
	return Bundle{MIMEPNG: data, MIMEText: fmt.Sprintf("<png, %d bytes>", len(data))}
}

// JPEG is a bundle of an encoded JPEG file.
func JPEG(data []byte) Bundle {
	return Bundle{MIMEJPEG: data, MIMEText: fmt.Sprintf("<jpeg, %d bytes>", len(data))}
}

// Image is a bundle of an image, encoded as PNG.
func Image(m image.Image) Bundle {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return Text("image: " + err.Error())
	}
	r := m.Bounds()
	return Bundle{MIMEPNG: b.Bytes(), MIMEText: fmt.Sprintf("<image, %d×%d>", r.Dx(), r.Dy())}
}

// Of is how any value is shown: a Displayer by its own forms, an image as PNG,
// an error by its message, everything else as fmt.Sprint prints it. A method
// MIMEBundle that panics or gives nothing falls back to the text.
func Of(v any) (b Bundle) {
	defer func() {
		if r := recover(); r != nil {
			b = Text(fmt.Sprintf("display: MIMEBundle of %T panicked: %v", v, r))
		}
	}()
	switch v := v.(type) {
	case Displayer:
		own := maps.Clone(Bundle(v.MIMEBundle()))
		if len(own) == 0 {
			return Text(fmt.Sprint(v))
		}
		if _, ok := own[MIMEText]; !ok {
			own[MIMEText] = fmt.Sprintf("<%T>", v)
		}
		return own
	case image.Image:
		return Image(v)
	}
	return Text(fmt.Sprint(v))
}
