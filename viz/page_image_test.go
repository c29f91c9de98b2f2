package viz

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	vgrecorder "gonum.org/v1/plot/vg/recorder"
)

func TestPageTurnsImages(t *testing.T) {
	m := image.NewNRGBA(image.Rect(3, 4, 5, 7))
	for i := range m.Pix {
		m.Pix[i] = uint8(40 * i)
	}
	var r vgrecorder.Canvas
	page{recorded{&r}}.DrawImage(vg.Rectangle{Max: vg.Point{X: 1, Y: 1}}, m)
	if len(r.Actions) != 1 {
		t.Fatalf("%d actions", len(r.Actions))
	}
	got := upsideDown(m)
	for y := range 3 {
		for x := range 2 {
			if want := m.At(3+x, 6-y); color.NRGBAModel.Convert(got.At(x, y)) != want {
				t.Errorf("pixel %d, %d is %v, want %v", x, y, got.At(x, y), want)
			}
		}
	}
}

// TestPDFImagesStand reads the page description of a PDF file: images are drawn
// on a page that is upside down, which is why DrawImage turns them.
func TestPDFImagesStand(t *testing.T) {
	b, err := birds().PDF()
	if err != nil {
		t.Fatal(err)
	}
	images := 0
	for _, m := range regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`).FindAllSubmatch(b, -1) {
		z, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(z)
		if bytes.Contains(text, []byte(" Do")) {
			images += countTurned(t, string(text))
		}
	}
	if images != 6 {
		t.Errorf("%d images, want 6", images)
	}
}

// countTurned counts the images of a page description, and fails for one whose
// vertical direction is not turned.
func countTurned(t *testing.T, text string) (n int) {
	stack, up := []float64{}, 1.0
	words := strings.Fields(text)
	for i, w := range words {
		switch w {
		case "q":
			stack = append(stack, up)
		case "Q":
			up, stack = stack[len(stack)-1], stack[:len(stack)-1]
		case "cm":
			d, err := strconv.ParseFloat(words[i-3], 64)
			if err != nil {
				t.Fatal(err)
			}
			up *= d
		case "Do":
			n++
			if up >= 0 {
				t.Errorf("image %d stands upright already", n)
			}
		}
	}
	return n
}
