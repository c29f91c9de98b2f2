package datasets

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/chestlab/chest/kernel/display"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Sizes of a contact sheet in pixels.
const (
	sheetRows    = 12
	sheetColumns = 12
	sheetCell    = 56 // an image is enlarged to at least this, by a whole factor
	sheetGap     = 4
	sheetLabel   = 240
)

// String is one line: "Blazons train: 960 images 1×32×32, 48 classes, 16 families, 4 orders".
func (s *Set) String() string {
	t := fmt.Sprintf("%s: %d images %d×%d×%d, %d classes", s.Name, s.Len(), s.C, s.H, s.W, len(s.Classes))
	names := []string{"superclasses", "groups"}
	copy(names, s.Levels)
	for i, n := range []int{len(s.Supers), len(s.Groups)} {
		if n > 0 {
			t += fmt.Sprintf(", %d %s", n, names[i])
		}
	}
	return t
}

// MIMEBundle is the set as a contact sheet, a row of images for a superclass,
// its classes in turn, and as one line of text. Of many superclasses it shows
// some, evenly chosen. A set that does not pass Validate shows its error.
func (s *Set) MIMEBundle() map[string]any {
	return bundle(s.String(), s)
}

// String is a line for each part and the note.
func (s *Split) String() string {
	t := s.Train.String()
	if s.Validation != nil {
		t += "\n" + s.Validation.String()
	}
	t += "\n" + s.Test.String()
	if s.Note != "" {
		t += "\n" + s.Note
	}
	return t
}

// MIMEBundle is the contact sheets of training and test, one above the other,
// and a line of text for each part.
func (s *Split) MIMEBundle() map[string]any {
	return bundle(s.String(), s.Train, s.Test)
}

// bundle is the sheets of some sets and their text.
func bundle(text string, sets ...*Set) display.Bundle {
	var sheets []image.Image
	for _, s := range sets {
		if err := s.Validate(); err != nil {
			return display.Bundle{display.MIMEText: err.Error()}
		}
		if s.Len() > 0 {
			sheets = append(sheets, s.sheet())
		}
	}
	if len(sheets) == 0 {
		return display.Bundle{display.MIMEText: text}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, stack(sheets)); err != nil {
		return display.Bundle{display.MIMEText: text}
	}
	return display.Bundle{display.MIMEPNG: b.Bytes(), display.MIMEText: text}
}

// stack sets images one under the other on white.
func stack(images []image.Image) image.Image {
	w, h := 0, 0
	for _, m := range images {
		w, h = max(w, m.Bounds().Dx()), h+m.Bounds().Dy()
	}
	all := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(all, all.Rect, image.White, image.Point{}, draw.Src)
	y := 0
	for _, m := range images {
		draw.Draw(all, m.Bounds().Add(image.Pt(0, y)), m, m.Bounds().Min, draw.Src)
		y += m.Bounds().Dy()
	}
	return all
}

// sheet draws the contact sheet of a valid set that is not empty.
func (s *Set) sheet() image.Image {
	rows := s.sheetItems()
	zoom := max((sheetCell+s.W-1)/s.W, 1)
	w, h := zoom*s.W+sheetGap, zoom*s.H+sheetGap
	label := 0
	if s.Super != nil {
		label = sheetLabel
	}
	title := 24
	m := image.NewRGBA(image.Rect(0, 0, label+sheetColumns*w+sheetGap, title+len(rows)*h+sheetGap))
	draw.Draw(m, m.Rect, image.White, image.Point{}, draw.Src)
	text := newPen(m)
	text.write(s.String(), sheetGap, 17)
	for r, row := range rows {
		if label > 0 {
			text.write(s.Supers[s.Super[s.Labels[row[0]]]], sheetGap, title+r*h+h/2+4)
		}
		for k, i := range row {
			enlarge(m, s.Image(i), label+sheetGap+k*w, title+r*h, zoom)
		}
	}
	return m
}

// sheetItems is the items of each row: superclasses evenly chosen, in each its
// classes in turn; without superclasses, classes evenly chosen.
func (s *Set) sheetItems() [][]int {
	group, n := s.Super, len(s.Supers)
	if group == nil {
		group, n = make([]int, len(s.Classes)), len(s.Classes)
		for c := range group {
			group[c] = c
		}
	}
	items := make([][]int, len(s.Classes)) // the first few of each class
	for i, c := range s.Labels {
		if len(items[c]) < sheetColumns {
			items[c] = append(items[c], i)
		}
	}
	rows := make([][]int, min(n, sheetRows))
	for r := range rows {
		rows[r] = takeTurns(items, group, r*n/len(rows))
	}
	return rows
}

// takeTurns is one row: from each class of group g alike many items, classes
// side by side, as many classes as fit.
func takeTurns(items [][]int, group []int, g int) []int {
	var classes [][]int
	for c, have := range items {
		if group[c] == g && len(classes) < sheetColumns {
			classes = append(classes, have)
		}
	}
	each := max(sheetColumns/max(len(classes), 1), 1)
	var row []int
	for _, have := range classes {
		row = append(row, have[:min(each, len(have))]...)
	}
	return row
}

// enlarge copies src to (x, y) of dst, each pixel as zoom×zoom.
func enlarge(dst *image.RGBA, src image.Image, x, y, zoom int) {
	b := src.Bounds()
	for j := range b.Dy() {
		for i := range b.Dx() {
			r, g, bl, _ := src.At(b.Min.X+i, b.Min.Y+j).RGBA()
			c := color.RGBA{R: uint8(r >> 8), G: uint8(g >> 8), B: uint8(bl >> 8), A: 255}
			for v := range zoom {
				for u := range zoom {
					dst.SetRGBA(x+i*zoom+u, y+j*zoom+v, c)
				}
			}
		}
	}
}

// pen writes black text on an image; without its font it writes nothing.
type pen struct{ drawer *font.Drawer }

// newPen is a pen of 12 pixels height.
func newPen(dst draw.Image) pen {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return pen{}
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: 12, DPI: 72})
	if err != nil {
		return pen{}
	}
	return pen{&font.Drawer{Dst: dst, Src: image.Black, Face: face}}
}

// write puts s with its base line at (x, y).
func (p pen) write(s string, x, y int) {
	if p.drawer != nil {
		p.drawer.Dot = fixed.P(x, y)
		p.drawer.DrawString(s)
	}
}
