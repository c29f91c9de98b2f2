package display

import (
	"bytes"
	"fmt"
	"html"
	"image"
	_ "image/gif" // so that the size of such a file can be told
	_ "image/jpeg"
	"image/png"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
)

// Text is plain text.
func Text(s string) Data { return Data{Data: MIMEMap{MIMEText: s}} }

// HTML is an HTML fragment. Its text form is the text without the tags.
func HTML(s string) Data { return MakeData3(MIMEHTML, withoutTags(s), s) }

// Markdown is Markdown text.
func Markdown(s string) Data { return MakeData(MIMEMarkdown, s) }

// Latex is LaTeX mathematics that stands in a line; $ signs are put around it
// unless it has them.
func Latex(s string) Data {
	s = strings.Trim(s, "$")
	return MakeData3(MIMELatex, s, "$"+s+"$")
}

// Math is LaTeX mathematics that stands by itself.
func Math(s string) Data {
	s = strings.Trim(s, "$")
	return MakeData3(MIMELatex, s, "$$"+s+"$$")
}

// SVG is an SVG document.
func SVG(s string) Data { return MakeData3(MIMESVG, "<svg>", s) }

// JavaScript is a script that the front end runs, if it trusts the notebook.
func JavaScript(s string) Data { return MakeData3(MIMEScript, "<javascript>", s) }

// JSON is a value that encoding/json takes.
func JSON(v any) Data { return MakeData3(MIMEJSON, fmt.Sprint(v), v) }

// PNG is an encoded PNG file.
func PNG(data []byte) Data { return MakeData(MIMEPNG, data) }

// JPEG is an encoded JPEG file.
func JPEG(data []byte) Data { return MakeData(MIMEJPEG, data) }

// PDF is a PDF file.
func PDF(data []byte) Data { return MakeData(MIMEPDF, data) }

// Image is an image, encoded as PNG.
func Image(m image.Image) Data {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return Text("display: image: " + err.Error())
	}
	r := m.Bounds()
	d := MakeData3(MIMEPNG, fmt.Sprintf("<image, %d×%d>", r.Dx(), r.Dy()), b.Bytes())
	d.Metadata = MIMEMap{MIMEPNG: size(r.Dx(), r.Dy())}
	return d
}

// size is the metadata of an image.
func size(width, height int) map[string]any {
	return map[string]any{"width": width, "height": height}
}

// MIME is data in the forms of data, with metadata for the front end, which
// may be nil.
func MIME(data, metadata MIMEMap) Data {
	d := Data{Data: joined(data, nil), Metadata: metadata}
	d.fillText(nil)
	return d
}

// MakeData is data of one MIME type with a text form made from it. The size of
// an image is read from it.
func MakeData(mime string, data any) Data {
	raw, ok := data.([]byte)
	if !ok {
		return MakeData3(mime, fmt.Sprint(data), data)
	}
	kind := mime[strings.LastIndexByte(mime, '/')+1:]
	d := MakeData3(mime, fmt.Sprintf("<%s, %d bytes>", kind, len(raw)), raw)
	if c, _, err := image.DecodeConfig(bytes.NewReader(raw)); err == nil && strings.HasPrefix(mime, "image/") {
		d.Metadata = MIMEMap{mime: size(c.Width, c.Height)}
	}
	return d
}

// MakeData3 is data of one MIME type and the text that stands for it.
func MakeData3(mime, text string, data any) Data {
	d := Data{Data: MIMEMap{MIMEText: text}}
	d.Data[mime] = data
	return d
}

// File is the file at path, as data of a MIME type; "" means that its first
// bytes tell. A file that cannot be read is shown as the error.
func File(mime, path string) Data {
	b, err := os.ReadFile(path)
	if err != nil {
		return Text("display: " + err.Error())
	}
	return Any(mime, b)
}

// Auto shows data as Any does, and finds the MIME type by itself.
func Auto(data any) Data { return Any("", data) }

// Any is data of a MIME type: a string, bytes, or what an io.Reader or
// io.WriterTo gives. "" means that the bytes tell; text is plain text then. A
// value that knows its own forms, an image, and every other value is shown as
// Render does.
func Any(mime string, data any) Data {
	if d, ok := forms(data); ok {
		return d
	}
	var b bytes.Buffer
	var err error
	switch v := data.(type) {
	case string:
		if mime == "" {
			mime = MIMEText
		}
		return MakeData(mime, v)
	case []byte:
		b.Write(v)
	case io.Reader:
		_, err = b.ReadFrom(v)
	case io.WriterTo:
		_, err = v.WriteTo(&b)
	default:
		return Render(data)
	}
	if err != nil {
		return Text("display: " + err.Error())
	}
	return ofBytes(mime, b.Bytes())
}

// ofBytes is raw data; text types become a string.
func ofBytes(mime string, b []byte) Data {
	if mime == "" {
		mime, _, _ = strings.Cut(http.DetectContentType(b), ";")
	}
	if isText(mime) {
		return MakeData(mime, string(b))
	}
	return MakeData(mime, b)
}

// isText says whether data of a MIME type is a string and not bytes.
func isText(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == MIMESVG || mime == MIMEScript || mime == MIMEJSON
}

var hidden = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)\s*>|<!--.*?-->|<[^>]*>`)

// withoutTags is the text of an HTML fragment in one line, at most 200 runes.
func withoutTags(s string) string {
	s = strings.Join(strings.Fields(html.UnescapeString(hidden.ReplaceAllString(s, " "))), " ")
	if s == "" {
		return "<html>"
	}
	return shortened(s, 200)
}

// shortened is s cut to n runes.
func shortened(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
