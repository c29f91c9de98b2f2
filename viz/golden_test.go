package viz

import (
	"bytes"
	"encoding/json"
	"flag"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test -update", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run go test -update and read the diff\ngot:\n%s", path, got)
	}
}

// lines breaks a JSON text between its objects, so that a diff can be read.
func lines(t *testing.T, option []byte) string {
	t.Helper()
	if !json.Valid(option) {
		t.Fatalf("not JSON: %s", option)
	}
	return strings.ReplaceAll(string(option), "},{", "},\n{") + "\n"
}

// decoded reads an option back.
func decoded(t *testing.T, f Figure) map[string]any {
	t.Helper()
	b, err := f.Option()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// seriesOf is the series of an option whose type is kind and that have a name.
func seriesOf(option map[string]any, kind string) (all []map[string]any) {
	for _, s := range option["series"].([]any) {
		if m := s.(map[string]any); m["type"] == kind && m["name"] != nil {
			all = append(all, m)
		}
	}
	return all
}

// pixels decodes a PNG file.
func pixels(t *testing.T, f Figure) (image.Image, int) {
	t.Helper()
	b, err := f.PNG()
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m, len(b)
}

// dark says whether a pixel is not nearly white.
func dark(m image.Image, x, y int) bool {
	r, g, b, _ := m.At(x, y).RGBA()
	return min(r, g, b) < 0xe000
}

// inked counts the pixels of a box, in pixels of the notebook, that are not white.
func inked(m image.Image, x, y, w, h int) (n int) {
	for j := y * sharp; j < (y+h)*sharp; j++ {
		for i := x * sharp; i < (x+w)*sharp; i++ {
			if dark(m, i, j) {
				n++
			}
		}
	}
	return n
}

// cloud is n points of k classes around k centres of the disk.
func cloud(n, k int) (xy []float64, label []int, centres []float64) {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	for c := range k {
		s, co := math.Sincos(2 * math.Pi * float64(c) / float64(k))
		centres = append(centres, 0.7*co, 0.7*s)
	}
	for i := range n {
		c := i % k
		xy = append(xy, centres[2*c]+0.05*rng.NormFloat64(), centres[2*c+1]+0.05*rng.NormFloat64())
		label = append(label, c)
	}
	return xy, label, centres
}
