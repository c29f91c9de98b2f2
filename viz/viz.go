// Package viz draws the pictures and tables of metric learning for notebooks
// and papers: embeddings on the Poincaré disk and in the plane, as points or as
// images, alone or side by side; curves over training, retrieval, trees, sweeps;
// tables of results, and reports that collect them in files.
//
// Every picture is shown in three forms at once. A front end that runs scripts
// shows an interactive ECharts chart, without a network; everything else (a
// notebook that is not trusted, a code host, LaTeX and PDF export) shows the
// same picture as a PNG; a terminal shows one line of text.
//
// The functions take plain slices and return values that a cell shows when it
// ends in them:
//
//	viz.Disk(xy, label, viz.DiskOptions{Title: "Test classes in D_H"})
//
// A figure is also a file: fig.SavePDF("fig2.pdf"), SaveSVG and SavePNG.
//
// Numbers that are not finite are errors that name their place; they come from
// Option, PNG, SVG and PDF, and stand in the output in place of the picture.
// Slices of lengths that do not fit together are a panic.
package viz

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/chestlab/chest/internal/echarts"
	"github.com/chestlab/chest/kernel/display"
)

// Figure is one picture in all its forms.
type Figure interface {
	// Option is the ECharts option as JSON.
	Option() ([]byte, error)
	// PNG is the picture as a PNG file, where no script runs.
	PNG() ([]byte, error)
	// SVG is the picture as an SVG file.
	SVG() ([]byte, error)
	// PDF is the picture as a PDF file, for papers.
	PDF() ([]byte, error)
	// Alt says in one line what the picture shows.
	Alt() string
	// MIMEBundle is all forms together: what a notebook shows.
	MIMEBundle() map[string]any
}

// Inline puts the chart library into the document, once, 1.1 MB. Charts of the
// document, before and after it, are then interactive wherever its scripts
// run: in a saved file, and in front ends that serve no kernel files.
func Inline() display.Bundle {
	return display.Bundle{
		display.MIMEHTML: "<script>" + echarts.InlineScript() + "</script>",
		display.MIMEText: "ECharts " + echarts.Version + " is now part of this document",
	}
}

// message is a figure as one output. Where a form fails, the rest is shown with
// the error's sentence.
func message(f painter) display.Bundle {
	w, h := f.bounds()
	option, optionErr := f.Option()
	img, pngErr := still(f, sharp)
	if len(img) > heavy {
		img, pngErr = still(f, plain)
	}
	b := display.Bundle{display.MIMEText: f.Alt()}
	switch {
	case pngErr != nil:
		return failure(pngErr)
	case optionErr != nil:
		b[display.MIMEHTML] = picture(newID(), f.Alt(), img, w, h) + complaint(optionErr)
	default:
		id := newID()
		b[display.MIMEHTML] = chart(id, loaderOf(f, id, option), picture("", f.Alt(), img, w, h), w, h)
	}
	b[display.MIMEPNG] = img
	return b
}

// loaderOf is the script that draws f in the element called id.
func loaderOf(f painter, id string, option []byte) string {
	if s, ok := f.(interface{ script() bool }); ok && s.script() {
		return echarts.DiskLoader(id, option)
	}
	return echarts.Loader(id, "", option)
}

// chart is a place of w×h pixels that holds fallback until script draws there.
func chart(id, script, fallback string, w, h int) string {
	return fmt.Sprintf("<div id=\"%s\" style=\"width:%dpx;height:%dpx\">%s</div>\n<script>%s</script>",
		html.EscapeString(id), w, h, fallback, script)
}

// picture is a PNG file inside the document. Size is given by attributes, which
// survive where style sheets are stripped.
func picture(id, alt string, png []byte, w, h int) string {
	if id != "" {
		id = ` id="` + html.EscapeString(id) + `"`
	}
	return fmt.Sprintf(`<img%s width="%d" height="%d" alt="%s" src="data:image/png;base64,%s">`,
		id, w, h, html.EscapeString(alt), base64.StdEncoding.EncodeToString(png))
}

// failure is the output of a figure that has no picture.
func failure(err error) display.Bundle {
	return display.Bundle{display.MIMEText: err.Error(), display.MIMEHTML: complaint(err)}
}

// complaint is an error as a paragraph.
func complaint(err error) string { return "<p>" + html.EscapeString(err.Error()) + "</p>" }

// session tells this process from every other, also from one of the same
// number that wrote into the same notebook yesterday: two elements of a page
// must not share an id.
var session = func() string {
	var b [6]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}()

var lastID atomic.Uint64

// newID returns a name for an element of a page.
func newID() string {
	return "chest-viz-" + session + "-" + strconv.FormatUint(lastID.Add(1), 10)
}

// round4 keeps four decimals: on a disk of 540 pixels, a fortieth of a pixel.
func round4(x float64) float64 { return math.Round(x*1e4)/1e4 + 0 } // + 0 turns -0 into 0

// digits6 keeps six significant digits.
func digits6(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	return y + 0
}

// finite says whether x is a number that can be drawn: sums and differences of
// two such numbers do not overflow.
func finite(x float64) bool { return math.Abs(x) <= 1e300 }

// thousands formats 12345 as 12,345.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count is a number and its noun: 1 point, 2 points, 5 classes.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		return thousands(n) + " " + noun + "es"
	}
	return thousands(n) + " " + noun + "s"
}

// join puts the parts that are there in a row.
func join(sep string, parts ...string) string {
	var there []string
	for _, p := range parts {
		if p != "" {
			there = append(there, p)
		}
	}
	return strings.Join(there, sep)
}
