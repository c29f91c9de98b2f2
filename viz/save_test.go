package viz

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	vgrecorder "gonum.org/v1/plot/vg/recorder"
)

// wellFormed reads an XML text to its end and returns the texts in it.
func wellFormed(t *testing.T, b []byte) string {
	t.Helper()
	var all strings.Builder
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		switch token, err := d.Token(); {
		case errors.Is(err, io.EOF):
			return all.String()
		case err != nil:
			t.Fatalf("not XML: %v", err)
		default:
			if text, ok := token.(xml.CharData); ok {
				all.Write(text)
			}
		}
	}
}

func TestSVG(t *testing.T) {
	for name, c := range map[string]struct {
		f    Figure
		want []string
	}{
		"disk":  {small(), []string{"Four points", "</script>", "proxies"}},
		"curve": {two(), []string{"CHEST", "recall", "</script>"}},
	} {
		b, err := c.f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		text := wellFormed(t, b)
		for _, w := range c.want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the SVG does not say %q", name, w)
			}
		}
		if bytes.Contains(b, []byte("family:Liberation")) || !bytes.Contains(b, []byte("sans-serif")) {
			t.Errorf("%s: a font without a substitute", name)
		}
		golden(t, name+".svg", string(b))
	}
}

func TestPDF(t *testing.T) {
	for name, f := range map[string]Figure{"disk": small(), "curve": two()} {
		b, err := f.PDF()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(b), []byte("%%EOF")) || len(b) > 1<<20 {
			t.Errorf("%s: %d bytes, %.20q", name, len(b), b)
		}
		if dates := clock.FindAll(b, -1); len(dates) == 0 || string(dates[0]) != "Date (D:19700101000000)" {
			t.Errorf("%s: dates %q", name, dates)
		}
		for range 4 {
			if again, err := f.PDF(); err != nil || !bytes.Equal(b, again) {
				t.Fatalf("%s: the same figure has other bytes: %v", name, err)
			}
		}
	}
}

func TestFormsFailTogether(t *testing.T) {
	f := Disk([]float64{math.NaN(), 0}, nil, DiskOptions{})
	for name, form := range map[string]func() ([]byte, error){"PNG": f.PNG, "SVG": f.SVG, "PDF": f.PDF, "Option": f.Option} {
		if _, err := form(); err == nil || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestSave(t *testing.T) {
	dir, f := t.TempDir(), small()
	for name, c := range map[string]struct {
		save func(string) error
		form func() ([]byte, error)
	}{"a.png": {f.SavePNG, f.PNG}, "a.svg": {f.SaveSVG, f.SVG}, "a.pdf": {f.SavePDF, f.PDF}} {
		path := filepath.Join(dir, name)
		if err := c.save(path); err != nil {
			t.Fatal(err)
		}
		want, err := c.form()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d: %v", name, len(got), len(want), err)
		}
	}
	old := filepath.Join(dir, "a.svg")
	before, _ := os.ReadFile(old)
	if err := Disk([]float64{2, 0}, nil, DiskOptions{}).SaveSVG(old); err == nil {
		t.Error("a figure that cannot be drawn was saved")
	}
	if after, err := os.ReadFile(old); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a failure changed the file: %v", err)
	}
	if err := f.SavePDF(filepath.Join(dir, "missing", "a.pdf")); err == nil || !strings.HasPrefix(err.Error(), "viz: saving") {
		t.Errorf("error %v", err)
	}
}

// TestPDFLetters sets letters that the fonts of PDF lack: each is a shape, and
// none is the box of a letter that the font lacks.
func TestPDFLetters(t *testing.T) {
	shapes := map[string]string{}
	for _, letter := range []string{"√", "κ", "é", "Ж", "·", "\uE000"} {
		var r vgrecorder.Canvas
		style := sans(12, ink, false)
		page{recorded{&r}}.FillString(style.Handler.Cache().Lookup(style.Font, style.Font.Size), vg.Point{}, letter)
		got := fmt.Sprintf("%v", r.Actions)
		for other, shape := range shapes {
			if got == shape {
				t.Errorf("%q and %q look the same", letter, other)
			}
		}
		if len(r.Actions) != 1 {
			t.Errorf("%q: %d shapes", letter, len(r.Actions))
		}
		shapes[letter] = got
	}
}

// recorded makes a recorder a canvas that writes itself.
type recorded struct{ *vgrecorder.Canvas }

func (recorded) Size() (w, h vg.Length)           { return 100, 100 }
func (recorded) WriteTo(io.Writer) (int64, error) { return 0, nil }

func TestPDFColours(t *testing.T) {
	r, g, b, a := straight{color.NRGBA{0x10, 0x80, 0xff, 0x40}}.RGBA()
	if r>>8 != 0x10 || g>>8 != 0x80 || b>>8 != 0xff || a>>8 != 0x40 {
		t.Errorf("%x %x %x %x", r, g, b, a)
	}
}
