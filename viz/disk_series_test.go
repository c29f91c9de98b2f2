package viz

import (
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPacked reads packed points back: each must lie where it was, nearly.
func TestPacked(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	n := packFrom + 1
	xy, names := make([]float64, 0, 2*n), make([]string, n)
	for i := range n {
		z := somewhere(rng)
		xy, names[i] = append(xy, real(z), imag(z)), string(rune('a'+i%26))
	}
	plane := Plane(xy, nil, PlaneOptions{})
	for name, f := range map[string]Figure{"disk": Disk(xy, nil, DiskOptions{Names: names}), "plane": plane} {
		s := seriesOf(decoded(t, f), "scatter")[0]
		own, ball := s["chest"].(map[string]any), name == "disk"
		b, err := base64.StdEncoding.DecodeString(own["packed"].(string))
		if err != nil || len(b) != 4*n || len(s["data"].([]any)) != 0 || s["large"] != true {
			t.Fatalf("%s: %d bytes for %d points: %v", name, len(b), n, err)
		}
		at := func(k int) float64 {
			return float64(int16(binary.LittleEndian.Uint16(b[2*k:]))) * own["unit"].(float64)
		}
		for i := range n {
			z, q := complex(xy[2*i], xy[2*i+1]), complex(at(2*i), at(2*i+1))
			switch {
			case ball && (math.Abs(cmplx.Abs(q)-distance(0, z)) > 5e-4 || cmplx.Abs(reach(q)-z) > 2e-4):
				t.Fatalf("%s: point %d is %v, was %v", name, i, reach(q), z)
			case !ball && math.Hypot(real(q)+plane.lay.x-real(z), imag(q)+plane.lay.y-imag(z)) > 1e-4:
				t.Fatalf("%s: point %d is %v, was %v", name, i, q, z)
			}
		}
		if all, _ := own["names"].([]any); ball && (len(all) != n || all[27] != "b") || !ball && all != nil {
			t.Errorf("%s: %d names", name, len(all))
		}
	}
	if s := seriesOf(decoded(t, Disk(xy[:2*packFrom], nil, DiskOptions{})), "scatter")[0]; s["chest"].(map[string]any)["packed"] != nil {
		t.Errorf("%d points are packed", packFrom)
	}
}

// tile is an image of one colour.
func tile(w, h int, c color.Color) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		m.Set(i%w, i/w, c)
	}
	return m
}

func TestThumbsOnHover(t *testing.T) {
	n := 2 * thumbMost
	xy, label, images := make([]float64, 2*n+2), make([]int, n+1), make([]image.Image, n+1)
	for i := range n + 1 {
		label[i] = i % 2
		images[i] = tile(2*thumbSide, thumbSide, color.RGBA{200, 40, 40, 255})
	}
	images[0] = nil
	total := 0
	for k, s := range seriesOf(decoded(t, Disk(xy, label, DiskOptions{Thumbs: images})), "scatter") {
		thumbs := s["chest"].(map[string]any)["thumbs"].(map[string]any)
		total += len(thumbs)
		if len(thumbs) < thumbMost*2/5 {
			t.Errorf("group %d has %d", k, len(thumbs))
		}
		for row, file := range thumbs {
			m, err := jpeg.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(file.(string))))
			if err != nil || m.Bounds().Dx() != thumbSide || m.Bounds().Dy() != thumbSide/2 {
				t.Fatalf("group %d row %s: %v, %v", k, row, m, err)
			}
			if r, g, _, _ := m.At(5, 5).RGBA(); r>>8 < 180 || g>>8 > 60 {
				t.Fatalf("group %d row %s: the colour is %v", k, row, m.At(5, 5))
			}
		}
	}
	if total > thumbMost || total < thumbMost*99/100 {
		t.Errorf("%d thumbnails of %d travel", total, n)
	}
	if s := seriesOf(decoded(t, Disk([]float64{0, 0, 0, 0}, nil, DiskOptions{Thumbs: images[:2]})), "scatter")[0]; len(s["chest"].(map[string]any)["thumbs"].(map[string]any)) != 1 {
		t.Error("the point with an image has none, or the other has one")
	}
}

func TestThumbnailKeepsWhite(t *testing.T) {
	m := thumbnail(image.NewNRGBA(image.Rect(10, 10, 30, 20)), 48)
	if m.Rect.Dx() != 20 || m.Rect.Dy() != 10 || m.RGBAAt(3, 3) != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("size %v, colour %v", m.Rect, m.RGBAAt(3, 3))
	}
	if m := thumbnail(image.NewNRGBA(image.Rect(0, 0, 1000, 1)), 48); m.Rect.Dx() != 48 || m.Rect.Dy() != 1 {
		t.Errorf("a line became %v", m.Rect)
	}
}

func TestGreyLooksDiffer(t *testing.T) {
	type looked struct {
		c color.RGBA
		m marker
	}
	seen := map[looked]int{}
	for i := range 16 {
		c, m := greyLook(i)
		if j, ok := seen[looked{c, m}]; ok || c.R != c.G || c.G != c.B {
			t.Errorf("group %d: %v, as group %d", i, c, j)
		}
		seen[looked{c, m}] = i
	}
}

func TestWrap(t *testing.T) {
	style := sans(12, ink, false)
	for _, c := range []struct {
		txt  string
		want []string
	}{
		{"", nil},
		{"UMAP · 3 points", []string{"UMAP · 3 points"}},
		{"tangent PCA · 1,000 points · rings at distance 1, 2, 3", []string{"tangent PCA · 1,000 points ·", "rings at distance 1, 2, 3"}},
		{"a part with many more words than a line can hold", []string{"a part with many more words", "than a line can hold"}},
		{"x · a part with many more words than a line can hold · y", []string{"x · a part with many more", "words than a line can hold · y"}},
	} {
		got := wrap(style, c.txt, 170)
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q became %q, want %q", c.txt, got, c.want)
		}
	}
	if got := wrap(style, strings.Repeat("W", 99), 170); len(got) != 1 || style.Width(got[0]) > 170*px {
		t.Errorf("a long word became %q", got)
	}
}
