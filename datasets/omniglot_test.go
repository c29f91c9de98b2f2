package datasets

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/display"
)

// entry is a file of a zip made by a test.
type entry struct {
	name string
	data []byte
}

// zipped is a zip file of entries, in their order.
func zipped(entries ...entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.Create(e.name)
		if err == nil {
			_, err = w.Write(e.data)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// picture is a PNG of w×h, white, with black ink in its left columns.
func picture(w, h, black int) []byte {
	m := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.White, color.Black})
	for j := range h {
		for i := range min(black, w) {
			m.SetColorIndex(i, j, 1)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// characters is an archive of two drawings of each character "Alphabet/NN".
func characters(names ...string) []byte {
	entries := []entry{{"images/", nil}, {"__MACOSX/images/._x", []byte("x")}, {"images/.DS_Store", []byte("x")}}
	for k, name := range names {
		alphabet, number, _ := strings.Cut(name, "/")
		for _, drawing := range []int{2, 1} {
			entries = append(entries, entry{
				fmt.Sprintf("images/%s/character%s/%04d_%02d.png", alphabet, number, k, drawing), picture(21, 21, 3*drawing),
			})
		}
	}
	return zipped(entries...)
}

// folder is a directory with the files given as name, content, name, content…
func folder(t testing.TB, files ...any) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i].(string)), files[i+1].([]byte), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const one, two = "images_background_small1.zip", "images_background_small2.zip"

func TestOmniglotSmall(t *testing.T) {
	dir := folder(t, one, characters("Greek/02", "Greek/01", "Balinese/01"), two, characters("Tagalog/01", "Greek/01", "Greek/03"))
	s, err := Omniglot(dir, OmniglotOptions{Size: 14})
	if err != nil {
		t.Fatal(err)
	}
	want := "Omniglot train: 6 images 1×14×14, 3 classes, 2 alphabets\n" +
		"Omniglot test: 4 images 1×14×14, 2 classes, 2 alphabets\n" +
		"1 of 3 test characters occur in training too and were left out"
	if s.String() != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if got := fmt.Sprint(s.Train.Classes, s.Train.Super, s.Train.Labels, s.Train.Names); got !=
		"[Balinese/character01 Greek/character01 Greek/character02] [0 1 1] [0 0 1 1 2 2] [0002_01 0002_02 0001_01 0001_02 0000_01 0000_02]" {
		t.Errorf("train is %s", got)
	}
	if row := s.Train.Pixels[14*14 : 14*14+6]; !slices.Equal(row, []byte{255, 255, 255, 255, 0, 0}) {
		t.Errorf("ink of 6 of 21 columns at 14 is %v, want 4 columns of 255", row)
	}
	for _, part := range []*Set{s.Train, s.Test} {
		if err := part.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestOmniglotOptions(t *testing.T) {
	dir := folder(t, one, characters("Greek/01", "Greek/02"), two, characters("Greek/02", "Greek/03"), "three.zip", characters("Greek/02", "Latin/01"))
	for _, c := range []struct {
		name string
		o    OmniglotOptions
		want string // the split as text, or part of the error
	}{
		{"keep", OmniglotOptions{KeepShared: true}, "1 of 2 test characters occur in training too: the test classes are not all unseen"},
		{"union", OmniglotOptions{Train: []string{one, "three.zip"}}, "Omniglot train: 6 images 1×28×28, 3 classes, 2 alphabets"},
		{"validation", OmniglotOptions{Validation: 0.5}, "Omniglot validation: 2 images 1×28×28, 1 classes"},
		{"same", OmniglotOptions{Test: []string{one}}, "all 2 characters of the test archives"},
		{"no archive", OmniglotOptions{Test: []string{}}, "no archive"},
		{"climbs", OmniglotOptions{Test: []string{"../x.zip"}}, `archive "../x.zip": want the plain name`},
		{"no zip", OmniglotOptions{Test: []string{"x.tar"}}, `archive "x.tar"`},
		{"size", OmniglotOptions{Size: 7}, "Size is 7: want 8 to 256"},
		{"share", OmniglotOptions{Validation: 1}, "Validation is 1"},
		{"absent", OmniglotOptions{Test: []string{"absent.zip"}}, "no absent.zip in " + dir},
	} {
		s, err := Omniglot(dir, c.o)
		got := fmt.Sprint(err)
		if err == nil {
			got = s.String()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestOmniglotPlace(t *testing.T) {
	t.Setenv(DataVariable, "")
	for name, dir := range map[string]string{"unset": "", "empty": t.TempDir(), "no folder": filepath.Join(t.TempDir(), "x")} {
		_, err := Omniglot(dir, OmniglotOptions{})
		if !errors.Is(err, ErrNoData) {
			t.Fatalf("%s: got %v, want ErrNoData", name, err)
		}
		for _, part := range []string{"github.com/brendenlake/omniglot", "folder python", one, "MIT", DataVariable, dir} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", name, err, part)
			}
		}
	}
	root := t.TempDir()
	if err := os.Rename(folder(t, one, characters("Greek/01"), two, characters("Latin/01")), filepath.Join(root, "omniglot")); err != nil {
		t.Fatal(err)
	}
	t.Setenv(DataVariable, root)
	if _, err := Omniglot("", OmniglotOptions{}); err != nil {
		t.Errorf("from %s: %v", DataVariable, err)
	}
	if err := os.Mkdir(filepath.Join(root, one), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Omniglot("", OmniglotOptions{}); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder in the archive's place: %v", err)
	}
}

// hostile are archives that must give an error with a part of this text.
func hostile() []struct {
	name string
	zip  []byte
	want string
} {
	good, pic := characters("Greek/01"), picture(21, 21, 3)
	path := "images/Greek/character01/0001_01.png"
	flipped := bytes.Clone(zipped(entry{path, pic}))
	flipped[len(path)+60] ^= 0x55 // inside the packed picture
	return []struct {
		name string
		zip  []byte
		want string
	}{
		{"no bytes", nil, "no zip file: download it again"},
		{"text", []byte("404: not found"), "no zip file"},
		{"cut short", good[:len(good)-30], "cut short"},
		{"cut in half", good[:len(good)/2], "cut short"},
		{"nothing in it", zipped(), "no picture among 0 entries"},
		{"only folders", zipped(entry{"images/", nil}), "no picture among 1 entries"},
		{"climbs out", zipped(entry{"images/../character01/1.png", pic}), `".." is no plain name`},
		{"absolute", zipped(entry{"/Greek/character01/1.png", pic}), `"" is no plain name`},
		{"backslash", zipped(entry{`images/a\b/character01/1.png`, pic}), "is no plain name"},
		{"control", zipped(entry{"images/a\nb/character01/1.png", pic}), `"a\nb" is no plain name`},
		{"not text", zipped(entry{"images/\xff/character01/1.png", pic}), "is no plain name"},
		{"long", zipped(entry{"images/" + strings.Repeat("x", 2000) + "/character01/1.png", pic}), "x…"},
		{"deep", zipped(entry{"images/Greek/character01/more/1.png", pic}), "want a name like"},
		{"other file", zipped(entry{"images/Greek/character01/1.gif", pic}), "want a name like"},
		{"twice", zipped(entry{path, pic}, entry{path, pic}), "stands there twice"},
		{"no picture", zipped(entry{path, []byte("no picture")}), path + `": no PNG picture`},
		{"empty picture", zipped(entry{path, nil}), "no PNG picture"},
		{"broken picture", zipped(entry{path, pic[:len(pic)-20]}), "broken PNG picture"},
		{"flipped bits", flipped, path},
		{"oblong", zipped(entry{path, picture(21, 20, 3)}), "picture of 21×20: want a square"},
		{"huge picture", zipped(entry{path, picture(513, 513, 3)}), "picture of 513×513"},
		{"huge file", zipped(entry{path, make([]byte, maxEntry+1)}), "1048577 bytes unpacked: want at most 1048576"},
	}
}

func TestHostileArchives(t *testing.T) {
	for _, c := range hostile() {
		_, err := Omniglot(folder(t, one, c.zip), OmniglotOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), one) {
			t.Errorf("%s: got %v, want %q and the file name", c.name, err, c.want)
		}
	}
	many := make([]entry, maxEntries+1)
	for i := range many {
		many[i].name = fmt.Sprintf("%d/", i)
	}
	if _, err := Omniglot(folder(t, one, zipped(many...)), OmniglotOptions{}); err == nil || !strings.Contains(err.Error(), "100001 entries: want at most 100000") {
		t.Errorf("many entries: %v", err)
	}
	if _, err := readGlyphs(context.Background(), bytes.NewReader(nil), maxArchive+1, "x.zip", 28); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Errorf("large file: %v", err)
	}
}

// TestUnderstatedSize: the directory of the zip may lie about the size.
func TestUnderstatedSize(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	data := make([]byte, 2*maxEntry)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "images/Greek/character01/1.png", Method: zip.Store, CompressedSize64: uint64(len(data)), UncompressedSize64: 100})
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readGlyphs(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), "x.zip", 28); err == nil {
		t.Error("no error")
	}
}

func TestOmniglotStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	display.SetContext(ctx)
	defer display.SetContext(context.Background())
	if _, err := Omniglot(folder(t, one, characters("Greek/01")), OmniglotOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// TestOmniglotReal reads the published files, whose counts are known.
func TestOmniglotReal(t *testing.T) {
	if os.Getenv(DataVariable) == "" {
		t.Skipf("SKIPPED: the real Omniglot is not tested: set %s to the folder that holds it", DataVariable)
	}
	s, err := Omniglot("", OmniglotOptions{Validation: 0.25})
	if err != nil {
		t.Fatal(err)
	}
	want := "Omniglot train: 2040 images 1×28×28, 102 classes, 5 alphabets\n" +
		"Omniglot validation: 680 images 1×28×28, 34 classes, 5 alphabets\n" +
		"Omniglot test: 2120 images 1×28×28, 106 classes, 3 alphabets\n" +
		"50 of 156 test characters occur in training too and were left out"
	if s.String() != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	for _, part := range []*Set{s.Train, s.Validation, s.Test} {
		if err := part.Validate(); err != nil {
			t.Error(err)
		}
	}
	ink := 0.0
	for _, p := range s.Train.Pixels {
		ink += float64(p) / 255 / float64(len(s.Train.Pixels))
	}
	if ink < 0.03 || ink > 0.15 {
		t.Errorf("mean ink is %.3f, want thin strokes on an empty ground", ink)
	}
	raw := rawRecall(s.Test)
	t.Logf("raw recall at 1 on %d test characters: %.3f; mean ink %.3f", len(s.Test.Classes), raw, ink)
	if raw < 0.2 || raw > 0.6 {
		t.Errorf("raw recall at 1 is %.3f", raw)
	}
}

// FuzzReadGlyphs: whatever the bytes, an error or glyphs of the right size and
// plain names, never a panic.
func FuzzReadGlyphs(f *testing.F) {
	f.Add(characters("Greek/01", "Latin/02"))
	for _, c := range hostile() {
		if len(c.zip) < 1<<16 {
			f.Add(c.zip)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		glyphs, err := readGlyphs(context.Background(), bytes.NewReader(data), int64(len(data)), "fuzz.zip", 8)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "datasets: Omniglot: fuzz.zip: ") {
				t.Errorf("error %q does not name the file", err)
			}
			return
		}
		if len(glyphs) == 0 {
			t.Error("neither glyphs nor an error")
		}
		for _, g := range glyphs {
			if len(g.pix) != 64 || strings.ContainsAny(g.class(), "\\\n") || strings.Contains(g.class(), "../") {
				t.Errorf("glyph %q of %d pixels", g.class(), len(g.pix))
			}
		}
	})
}
