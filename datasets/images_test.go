package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/chestlab/chest/datasets/transform"
)

// photo is a synthetic picture with structure at several scales.
func photo(w, h int, seed uint64) image.Image {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for k := 0; k < 40; k++ {
		x, y, s := rng.IntN(w), rng.IntN(h), 1+rng.IntN(1+w/3)
		c := color.RGBA{uint8(rng.Uint32()), uint8(rng.Uint32()), uint8(rng.Uint32()), 255}
		for j := max(y-s, 0); j < min(y+s, h); j++ {
			for i := max(x-s, 0); i < min(x+s, w); i++ {
				m.SetRGBA(i, j, c)
			}
		}
	}
	for j := range m.Pix {
		m.Pix[j] = uint8(min(int(m.Pix[j])+rng.IntN(24), 255)) // alpha too; encoders of RGB drop it
	}
	return m
}

// writePhotos makes n JPEG and PNG files of two classes in a folder.
func writePhotos(t testing.TB, n, w, h int) *Files {
	t.Helper()
	f := &Files{Name: "photos train", Root: t.TempDir(), Classes: []string{"a", "b"}, Super: []int{0, 0}, Supers: []string{"all"}}
	for i := range n {
		var b bytes.Buffer
		name, err := fmt.Sprintf("%d/%03d.jpg", i%2, i), error(nil)
		if i%5 == 4 {
			name = strings.TrimSuffix(name, "jpg") + "png"
			err = png.Encode(&b, photo(w-i%7, h+i%3, uint64(i)))
		} else {
			err = jpeg.Encode(&b, photo(w-i%7, h+i%3, uint64(i)), &jpeg.Options{Quality: 85})
		}
		if err != nil {
			t.Fatal(err)
		}
		writeImage(t, filepath.Join(f.Root, name), b.Bytes())
		f.Paths, f.Labels = append(f.Paths, name), append(f.Labels, i%2)
	}
	return f
}

func writeImage(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// smallRecipes are quick ones of 16×16.
func smallRecipes() ImageOptions {
	return ImageOptions{
		Item: &transform.Recipe{Name: "small test", Steps: []transform.Step{transform.Resize{Size: 20}, transform.CentreCrop{Size: 16}}, Normalise: transform.Half},
		Draw: &transform.Recipe{Name: "small train", Steps: []transform.Step{transform.RandomResizedCrop{Size: 16}, transform.Flip{}, transform.ColourJitter{Brightness: 0.3, Hue: 0.1}}, Normalise: transform.Half},
		Seed: 5, Side: 20, Silent: true,
	}
}

func openSet(t testing.TB, f *Files, o ImageOptions) *ImageSet {
	t.Helper()
	s, err := Images(f, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// allDraws is every item, then two draws of each.
func allDraws(t testing.TB, s *ImageSet) [][]float32 {
	t.Helper()
	c, h, w := s.Shape()
	var out [][]float32
	get := func(f func([]float32) error) {
		x := make([]float32, c*h*w)
		if err := f(x); err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	for i := range s.Len() {
		get(func(x []float32) error { return s.Item(x, i) })
		for d := range uint64(2) {
			get(func(x []float32) error { return s.Draw(x, i, d) })
		}
	}
	return out
}

// TestImagesByHand: an item is decode, recipe and numbers, one after the other.
func TestImagesByHand(t *testing.T) {
	f := writePhotos(t, 5, 40, 30)
	s := openSet(t, f, ImageOptions{Recipe: "bninception", Silent: true})
	if c, h, w := s.Shape(); c != 3 || h != 224 || w != 224 || s.Len() != 5 || s.Label(3) != 1 || s.Path(1) != "1/001.jpg" {
		t.Errorf("%v", s)
	}
	if want := "photos train: 5 image files as 3×224×224, 2 classes, 1 superclasses"; s.String() != want {
		t.Errorf("%s", s)
	}
	got, want := make([]float32, 3*224*224), make([]float32, 3*224*224)
	for i := range f.Paths {
		if err := s.Item(got, i); err != nil {
			t.Fatal(err)
		}
		m, err := readPicture(filepath.Join(f.Root, f.Paths[i]), defaultMaxPixels)
		if err != nil {
			t.Fatal(err)
		}
		m = transform.CentreCrop{Size: 224}.Apply(transform.Resize{Size: 256}.Apply(m, nil), nil)
		transform.BNInception.Write(want, m)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("item %d differs", i)
		}
	}
	m, err := s.Image(0)
	if err != nil || m.Bounds().Dx() != 40 || m.Bounds().Dy() != 30 {
		t.Errorf("Image: %v, %v", m.Bounds(), err)
	}
}

// TestDrawIsAFunction of seed, item and draw, and of nothing else: not of order,
// threads, what was announced, or how much may be held.
func TestDrawIsAFunction(t *testing.T) {
	f := writePhotos(t, 6, 40, 30)
	want := allDraws(t, openSet(t, f, smallRecipes()))
	for i := 0; i < len(want); i += 3 {
		if reflect.DeepEqual(want[i], want[i+1]) || reflect.DeepEqual(want[i+1], want[i+2]) {
			t.Error("the draws of an item are alike")
		}
	}
	other := smallRecipes()
	other.Seed = 6
	if got := allDraws(t, openSet(t, f, other)); reflect.DeepEqual(got[1], want[1]) || !reflect.DeepEqual(got[0], want[0]) {
		t.Error("another seed must change draws, and draws only")
	}
	for _, workers := range []int{0, 1, 2, 7} {
		for _, most := range []int{1, 3, 0} {
			o := smallRecipes()
			o.Workers, o.Ahead = workers, most
			s := openSet(t, f, o)
			items, draws := []int{5, 4, 3, 2, 1, 0, 0, 1}, []uint64{0, 1, 0, 1, 0, 1, 0, 7}
			s.Prefetch(items, draws)
			if got := allDraws(t, s); !reflect.DeepEqual(got, want) {
				t.Errorf("%d workers, %d held: other bits", workers, most)
			}
			s.Prefetch([]int{0, 1, 2, 3, 4, 5}, nil)
			if got := allDraws(t, s); !reflect.DeepEqual(got, want) {
				t.Errorf("%d workers, %d held: other bits of announced items", workers, most)
			}
		}
	}
}

// TestConcurrentUse: many readers, some announcing, get the same bits.
func TestConcurrentUse(t *testing.T) {
	f := writePhotos(t, 6, 40, 30)
	o := smallRecipes()
	o.Cache, o.Ahead = t.TempDir(), 4
	s := openSet(t, f, o)
	want := allDraws(t, s)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 2))
			x := make([]float32, 3*16*16)
			for range 60 {
				i, d := rng.IntN(6), rng.IntN(3)
				if rng.IntN(3) == 0 {
					s.Prefetch([]int{i, rng.IntN(6), rng.IntN(6)}, []uint64{0, 1, 0})
				}
				err := error(nil)
				if d == 0 {
					err = s.Item(x, i)
				} else {
					err = s.Draw(x, i, uint64(d-1))
				}
				if err != nil || !reflect.DeepEqual(x, want[3*i+d]) {
					t.Errorf("item %d, draw %d differs: %v", i, d, err)
					return
				}
				if g == 0 && rng.IntN(20) == 0 {
					s.Close()
				}
			}
		})
	}
	wg.Wait()
}

// TestDamagedFiles: by default an error that names the file and the remedy; when
// they are skipped, a set without them that names them.
func TestDamagedFiles(t *testing.T) {
	f := writePhotos(t, 6, 40, 30)
	data, err := os.ReadFile(filepath.Join(f.Root, f.Paths[2]))
	if err != nil {
		t.Fatal(err)
	}
	writeImage(t, filepath.Join(f.Root, f.Paths[2]), data[:len(data)/2])
	x := make([]float32, 3*16*16)
	s := openSet(t, f, smallRecipes())
	s.Prefetch([]int{2}, []uint64{0})
	for _, err := range []error{s.Item(x, 2), s.Draw(x, 2, 0), s.Draw(x, 2, 0)} {
		if err == nil || !strings.Contains(err.Error(), `"0/002.jpg" in `+f.Root+": broken JPEG file: ") || !strings.HasSuffix(err.Error(), "; get the file again, or set ImageOptions.Damaged to SkipDamage") {
			t.Errorf("error %v", err)
		}
	}
	if err := os.Remove(filepath.Join(f.Root, f.Paths[5])); err != nil {
		t.Fatal(err)
	}
	if _, err := Images(f, smallRecipes()); err == nil || !strings.Contains(err.Error(), "1/005.jpg") || !strings.Contains(err.Error(), "correct Files.Root") {
		t.Errorf("missing file: error %v", err)
	}
	cache := t.TempDir()
	for _, dir := range []string{"", cache, cache} { // decoded, built, and remembered
		o := smallRecipes()
		o.Damaged, o.Cache = SkipDamage, dir
		s := openSet(t, f, o)
		if s.Len() != 4 || len(s.Skipped) != 2 || s.Skipped[0].Path != f.Paths[2] || !strings.Contains(s.Skipped[0].Reason, "broken JPEG") || s.Skipped[1].Path != f.Paths[5] {
			t.Fatalf("cache %q: %v, skipped %v", dir, s, s.Skipped)
		}
		if s.Label(2) != 1 || s.Path(2) != f.Paths[3] || !strings.Contains(s.String(), "2 damaged files left out") {
			t.Errorf("%v: item 2 is %s of class %d", s, s.Path(2), s.Label(2))
		}
		if err := s.Item(x, 2); err != nil {
			t.Error(err)
		}
	}
	o := smallRecipes()
	o.Cache = cache
	writeImage(t, filepath.Join(f.Root, f.Paths[5]), data)
	if _, err := Images(f, o); err == nil || !strings.Contains(err.Error(), "0/002.jpg") {
		t.Errorf("a cache of damaged files: error %v", err)
	}
}

// TestUnreadableIsNotDamaged: what the system fails to read is an error, also
// when damage is skipped, and no cache remembers it.
func TestUnreadableIsNotDamaged(t *testing.T) {
	f := writePhotos(t, 2, 40, 30)
	f.Paths[1] = strings.Repeat("x", 5000)
	for _, dir := range []string{"", t.TempDir()} {
		o := smallRecipes()
		o.Damaged, o.Cache = SkipDamage, dir
		if s, err := Images(f, o); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("cache %q: %v, error %v", dir, s, err)
		}
	}
	s := &ImageSet{Name: "x", root: "/r", o: ImageOptions{MaxPixels: 100}}
	err := s.damage("a", &os.PathError{Op: "read", Path: "/r/a", Err: os.ErrPermission})
	if !strings.Contains(err.Error(), "see to its permissions") {
		t.Errorf("error %v", err)
	}
}

func TestAllDamaged(t *testing.T) {
	f := &Files{Name: "x", Root: t.TempDir(), Paths: []string{"a.jpg"}, Labels: []int{0}, Classes: []string{"a"}}
	o := smallRecipes()
	o.Damaged = SkipDamage
	if _, err := Images(f, o); err == nil || !strings.Contains(err.Error(), "all 1 files are damaged") {
		t.Errorf("error %v", err)
	}
}

func TestImagesRefuse(t *testing.T) {
	good := func() *Files {
		return &Files{Name: "x", Root: "/", Paths: []string{"a"}, Labels: []int{0}, Classes: []string{"a"}}
	}
	wide := &transform.Recipe{Steps: []transform.Step{transform.CentreCrop{Size: 9}}}
	for word, c := range map[string]struct {
		o      ImageOptions
		change func(*Files)
	}{
		"no files":            {change: func(f *Files) { f.Paths = nil }},
		"0 Labels":            {change: func(f *Files) { f.Labels = nil }},
		"stays within":        {change: func(f *Files) { f.Paths[0] = "../a" }},
		"label 1":             {change: func(f *Files) { f.Labels[0] = 1 }},
		"Super has":           {change: func(f *Files) { f.Supers = []string{"s"} }},
		"Super[0]":            {change: func(f *Files) { f.Super = []int{3} }},
		"no recipe":           {o: ImageOptions{Recipe: "vgg"}},
		"want one size":       {o: ImageOptions{Item: wide}},
		"no step":             {o: ImageOptions{Draw: &transform.Recipe{}}},
		"Ahead is -1":         {o: ImageOptions{Ahead: -1}},
		"Damaged is 9":        {o: ImageOptions{Damaged: 9}},
		"correct Files.Root":  {},
		"MaxPixels is -65536": {o: ImageOptions{MaxPixels: -65536}},
	} {
		f := good()
		if c.change != nil {
			c.change(f)
		}
		c.o.Silent = true
		if _, err := Images(f, c.o); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v, want one with %q", err, word)
		}
	}
	if _, err := Images(nil, ImageOptions{}); err == nil {
		t.Error("nil: no error")
	}
}

// TestStepsMayNotResize: a step after the last sized one is found at the first
// item; one that panics on a worker is an error there.
func TestStepsMayNotResize(t *testing.T) {
	f := writePhotos(t, 1, 40, 30)
	o := smallRecipes()
	o.Item = &transform.Recipe{Name: "odd", Steps: []transform.Step{transform.CentreCrop{Size: 16}, transform.Resize{Size: 9}}}
	o.Draw = &transform.Recipe{Name: "bad", Steps: []transform.Step{transform.CentreCrop{Size: 16}, panicking{}}}
	s := openSet(t, f, o)
	x := make([]float32, 3*16*16)
	if err := s.Item(x, 0); err == nil || !strings.Contains(err.Error(), "gave 9×9 pixels, want 16×16") {
		t.Errorf("error %v", err)
	}
	s.Prefetch([]int{0}, []uint64{3})
	<-waitMade(s)
	if err := s.Draw(x, 0, 3); err == nil || !strings.Contains(err.Error(), "panicked: no") {
		t.Errorf("error %v", err)
	}
}

// waitMade is closed when the only announced picture is made.
func waitMade(s *ImageSet) chan struct{} {
	s.ahead.mu.Lock()
	defer s.ahead.mu.Unlock()
	for _, slot := range s.ahead.slots {
		return slot.done
	}
	return nil
}

type panicking struct{}

func (panicking) Apply(transform.RGB, *rand.Rand) transform.RGB { panic("no") }
func (panicking) Check() error                                  { return nil }

// stopAfter ends a context when so much is done.
type stopAfter struct {
	n    int
	stop func()
}

func (p *stopAfter) Start(int, string) {}
func (p *stopAfter) Finish(string)     {}
func (p *stopAfter) Set(done int, _ string) {
	if done >= p.n {
		p.stop()
	}
}

// TestCheckStops: looking for damaged files ends with the context.
func TestCheckStops(t *testing.T) {
	f := writePhotos(t, 40, 20, 20)
	ctx, stop := context.WithCancel(context.Background())
	o := smallRecipes()
	o.Damaged, o.Silent, o.Progress = SkipDamage, false, &stopAfter{8, stop}
	if _, err := openImages(ctx, f, o); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "of 40 files") {
		t.Errorf("error %v", err)
	}
	if _, err := openImages(ctx, f, smallRecipes()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestImageRecipe: the description tells recipes apart by what they do to pixels,
// not by their names, nor by a cache that leaves Item as it is.
func TestImageRecipe(t *testing.T) {
	f := writePhotos(t, 2, 30, 24)
	describe := func(change func(o *ImageOptions)) string {
		o := smallRecipes()
		o.Seed = 0
		change(&o)
		return openSet(t, f, o).Recipe()
	}
	plain := describe(func(*ImageOptions) {})
	if want := "Resize{Size:20 Filter:bicubic} → CentreCrop{Size:16} → Normalise{Mean:[0.5 0.5 0.5]"; !strings.HasPrefix(plain, want) {
		t.Errorf("%q, want %q", plain, want)
	}
	for name, c := range map[string]struct {
		change func(o *ImageOptions)
		same   bool
	}{
		"name":        {func(o *ImageOptions) { o.Item.Name = "other" }, true},
		"cache":       {func(o *ImageOptions) { o.Cache = t.TempDir() }, true},
		"other cache": {func(o *ImageOptions) { o.Cache, o.Side = t.TempDir(), 18 }, false},
		"resize":      {func(o *ImageOptions) { o.Item.Steps[0] = transform.Resize{Size: 18} }, false},
		"normalise":   {func(o *ImageOptions) { o.Item.Normalise = transform.ImageNet }, false},
		"seed":        {func(o *ImageOptions) { o.Seed = 5 }, false},
	} {
		if got := describe(c.change); (got == plain) != c.same {
			t.Errorf("%s: %q", name, got)
		}
	}
}
