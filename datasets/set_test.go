package datasets

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// small is 7 items of 4 classes, 2 superclasses and 2 groups, with the item
// number in the pixels.
func small() *Set {
	s := &Set{
		Name: "small", C: 3, H: 2, W: 1,
		Labels: []int{3, 0, 1, 1, 2, 3, 0}, Names: []string{"a", "b", "c", "d", "e", "f", "g"},
		Classes: []string{"w", "x", "y", "z"}, Super: []int{0, 0, 1, 2},
		Supers: []string{"p", "q", "r"}, Group: []int{0, 0, 1}, Groups: []string{"k", "l"},
	}
	for i := range 7 * 6 {
		s.Pixels = append(s.Pixels, uint8(10*(i/6)+i%6))
	}
	return s
}

func TestItem(t *testing.T) {
	s := small()
	s.Pixels[6], s.Pixels[7] = 0, 255
	x := make([]float32, 6)
	if err := s.Item(x, 1); err != nil || x[0] != -1 || x[1] != 1 || x[2] != float32(12)/127.5-1 {
		t.Errorf("Item = %v, %v", x, err)
	}
	if all := s.Floats(); !slices.Equal(all[6:12], x) || len(all) != 42 {
		t.Errorf("Floats[6:12] = %v, want %v", all[6:12], x)
	}
	if c := color.NRGBAModel.Convert(s.Image(2).At(0, 1)); c != (color.NRGBA{21, 23, 25, 255}) {
		t.Errorf("pixel (0, 1) of item 2 is %v", c)
	}
	s.Pixels = s.Pixels[:20]
	if err := s.Item(x, 6); err == nil || !strings.Contains(err.Error(), "item 6 of 7") {
		t.Errorf("short set: %v", err)
	}
	for name, f := range map[string]func(){
		"item":  func() { s.Item(x, 7) },
		"dst":   func() { s.Item(x[:5], 0) },
		"valid": func() { s.Floats() },
		"share": func() { small().HoldOut(1, 0) },
		"NaN":   func() { small().HoldOut(math.NaN(), 0) },
		"class": func() { small().Subset(func(c int) bool { return c == 1 }).HoldOut(0.5, 0) },
	} {
		if m := panics(f); !strings.HasPrefix(m, "datasets: ") {
			t.Errorf("%s: panic %q, want one of datasets", name, m)
		}
	}
}

// panics is what f panics with.
func panics(f func()) (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	f()
	return ""
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(s *Set)
		wanted string
	}{
		{"good", func(s *Set) {}, ""},
		{"no tree", func(s *Set) { s.Super, s.Supers, s.Group, s.Groups = nil, nil, nil, nil }, ""},
		{"no groups", func(s *Set) { s.Group, s.Groups = nil, nil }, ""},
		{"no names", func(s *Set) { s.Names = nil }, ""},
		{"empty", func(s *Set) { *s = Set{C: 1, H: 1, W: 1} }, ""},
		{"channels", func(s *Set) { s.C = 2 }, "shape 2×2×1"},
		{"pixels", func(s *Set) { s.Pixels = s.Pixels[1:] }, "41 bytes, want 7 items × 6 = 42"},
		{"names", func(s *Set) { s.Names = s.Names[1:] }, "6 Names for 7 items"},
		{"label", func(s *Set) { s.Labels[4] = 4 }, "item 4: label 4: want 0 to 3"},
		{"negative", func(s *Set) { s.Labels[4] = -1 }, "item 4: label -1"},
		{"bare class", func(s *Set) { s.Labels[4] = 1 }, "class 2 (y) has no item"},
		{"super", func(s *Set) { s.Super[1] = 3 }, "Super[1] = 3: want 0 to 2"},
		{"supers", func(s *Set) { s.Super = s.Super[1:] }, "Super has length 3, want 4"},
		{"group", func(s *Set) { s.Group[2] = -1 }, "Group[2] = -1"},
		{"groups", func(s *Set) { s.Group = nil }, "Group has length 0"},
	} {
		s := small()
		c.spoil(s)
		err := s.Validate()
		if c.wanted == "" && err != nil || c.wanted != "" && (err == nil || !strings.Contains(err.Error(), c.wanted)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.wanted)
		}
		if text := s.MIMEBundle()["text/plain"]; text == "" {
			t.Errorf("%s: no text to show", c.name)
		}
	}
}

// TestSubset: whatever is kept, the items that stay have the same pixels and
// names of item, class, superclass and group as before.
func TestSubset(t *testing.T) {
	s := small()
	for bits := range 16 {
		kept := func(c int) bool { return bits>>c&1 == 1 }
		u := s.Subset(kept)
		if err := u.Validate(); err != nil {
			t.Fatalf("keep %04b: %v", bits, err)
		}
		k := 0
		for i, c := range s.Labels {
			if !kept(c) {
				continue
			}
			if got, want := u.describe(k), s.describe(i); got != want {
				t.Fatalf("keep %04b: item %d is %s, want %s", bits, k, got, want)
			}
			k++
		}
		if k != u.Len() {
			t.Fatalf("keep %04b: %d items, want %d", bits, u.Len(), k)
		}
	}
	s.Subset(func(int) bool { return true }).Pixels[0] = 99
	if s.Pixels[0] == 99 {
		t.Error("a subset shares its pixels")
	}
}

// describe is all that is known of an item.
func (s *Set) describe(i int) string {
	d, c := s.size(), s.Labels[i]
	p := s.Super[c]
	return fmt.Sprint(s.Pixels[i*d:(i+1)*d], s.Names[i], s.Classes[c], s.Supers[p], s.Groups[s.Group[p]])
}

func TestTree(t *testing.T) {
	for _, c := range []struct {
		name   string
		cut    func(s *Set)
		parent []int
	}{
		{"two levels", func(*Set) {}, []int{4, 4, 5, 6, 7, 7, 8, 9, 9, -1}},
		{"one level", func(s *Set) { s.Group, s.Groups = nil, nil }, []int{4, 4, 5, 6, 7, 7, 7, -1}},
		{"flat", func(s *Set) { s.Super, s.Supers, s.Group, s.Groups = nil, nil, nil, nil }, []int{4, 4, 4, 4, -1}},
	} {
		s := small()
		c.cut(s)
		tree := s.Tree()
		if !slices.Equal(tree.Parent, c.parent) || len(tree.Name) != len(c.parent) || tree.Leaves != 4 {
			t.Errorf("%s: %+v, want parents %v", c.name, tree, c.parent)
		}
	}
}

func TestHoldOut(t *testing.T) {
	s := blazons(t, BlazonsOptions{PerClass: 2, Size: 16}).Train // 16 families of 3 species
	for _, share := range []float64{0.001, 0.1, 1.0 / 3, 0.5, 0.9, 0.999} {
		fit, held := s.HoldOut(share, 4)
		want := min(max(int(math.Round(48*share)), 1), 47)
		if len(held.Classes) != want || len(fit.Classes) != 48-want || fit.Len()+held.Len() != s.Len() {
			t.Errorf("share %g: %d and %d classes, want %d held", share, len(fit.Classes), len(held.Classes), want)
		}
		for _, part := range []*Set{fit, held} {
			if err := part.Validate(); err != nil {
				t.Error(err)
			}
		}
		for _, c := range held.Classes {
			if slices.Contains(fit.Classes, c) {
				t.Errorf("share %g: %q in both", share, c)
			}
		}
		for c, n := range perSuper(held) {
			exact := float64(want) / 16
			if math.Abs(float64(n)-exact) >= 1 {
				t.Errorf("share %g: family %d gives %d, want %g rounded", share, c, n, exact)
			}
		}
		again, _ := s.HoldOut(share, 4)
		other, _ := s.HoldOut(share, 5)
		if !slices.Equal(again.Classes, fit.Classes) || share == 0.5 && slices.Equal(other.Classes, fit.Classes) {
			t.Errorf("share %g: the seed does not decide", share)
		}
	}
}

// perSuper counts the classes of each superclass.
func perSuper(s *Set) []int {
	n := make([]int, len(s.Supers))
	for _, p := range s.Super {
		n[p]++
	}
	return n
}

func TestDrawLots(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		n := 2 + rng.IntN(60)
		group := make([]int, n)
		for i := range group {
			group[i] = rng.IntN(5)
		}
		share := 0.001 + 0.998*rng.Float64()
		got := 0
		for _, p := range drawLots(group, share, rng) {
			if p {
				got++
			}
		}
		if want := min(max(int(math.Round(share*float64(n))), 1), n-1); got != want {
			t.Fatalf("n %d, share %g: %d drawn, want %d", n, share, got, want)
		}
	}
}

func TestSheet(t *testing.T) {
	split := blazons(t, BlazonsOptions{Orders: 3, Species: 30, PerClass: 2, RGB: true})
	for name, b := range map[string]map[string]any{
		"set": split.Train.MIMEBundle(), "split": split.MIMEBundle(), "small": small().MIMEBundle(),
	} {
		m, err := png.Decode(bytes.NewReader(b["image/png"].([]byte)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m.Bounds().Dx() < 12*56 || m.Bounds().Dy() < 60 {
			t.Errorf("%s: picture of %v", name, m.Bounds())
		}
	}
	if b := (&Set{Name: "none", C: 1, H: 1, W: 1}).MIMEBundle(); b["image/png"] != nil {
		t.Error("an empty set has a picture")
	}
	flat := small()
	flat.Super, flat.Supers, flat.Group, flat.Groups = nil, nil, nil, nil
	if rows := flat.sheetItems(); fmt.Sprint(rows) != "[[1 6] [2 3] [4] [0 5]]" {
		t.Errorf("rows of a flat set: %v", rows)
	}
	if rows := small().sheetItems(); fmt.Sprint(rows) != "[[1 6 2 3] [4] [0 5]]" {
		t.Errorf("rows of a set: %v", rows)
	}
}
