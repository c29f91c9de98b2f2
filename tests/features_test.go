package tests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFeatures: chest features writes a file, does nothing the second time, and
// refuses what does not fit; join wants all shards.
func TestFeatures(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	features := func(args ...string) result {
		return chest(t, "", append([]string{"features", "--weights", "untrained", "--image", "16"}, args...)...)
	}
	const part = "7/240" // four images
	r := features("--out", at("four"), "--shard", part)
	if r.code != 0 || !strings.Contains(r.stdout, "4×384 features of blazons train by vit_s16 on 3×16×16, shard 7/240") {
		t.Fatalf("code %d, %s %s", r.code, r.stdout, r.stderr)
	}
	if r := features("--out", at("four"), "--shard", part); r.code != 0 || strings.Contains(r.stderr, "features of") {
		t.Errorf("a second time: code %d, %s", r.code, r.stderr)
	}
	r = chest(t, "", "data", "info", at("four"))
	for _, want := range []string{"4×384 features of blazons train", "weights   untrained, seed 1\n", "transform drawn at 16×16", "of 960 items\n"} {
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("data info: code %d, %s%s; want %q", r.code, r.stdout, r.stderr, want)
		}
	}
	for says, c := range map[string]struct {
		code int
		args []string
	}{
		`its transform is "drawn at 16×16 in colour; less mean [0.485`: {1, []string{"--out", at("four"), "--shard", part, "--norm", "half"}},
		`its data set is "blazons train", not "blazons test"`:          {1, []string{"--out", at("four"), "--shard", part, "--part", "test"}},
		"CHEST_WEIGHTS":              {1, []string{"--out", at("x"), "--weights", "none.safetensors"}},
		"at least 32×32":             {1, []string{"--out", at("x"), "--backbone", "resnet50"}},
		`--data "zoo"; want blazons`: {2, []string{"--out", at("x"), "--data", "zoo"}},
		"--norm \"none\"":            {2, []string{"--out", at("x"), "--norm", "none"}},
		"--part \"all\"":             {2, []string{"--out", at("x"), "--part", "all"}},
		"--damaged \"no\"":           {2, []string{"--out", at("x"), "--damaged", "no"}},
		"blazons has no gallery":     {2, []string{"--out", at("x"), "--part", "gallery"}},
		"shard 2 of 2":               {2, []string{"--out", at("x"), "--shard", "2/2"}},
		"--image 0":                  {2, []string{"--out", at("x"), "--image", "0"}},
	} {
		if r := features(c.args...); r.code != c.code || !strings.Contains(r.stderr, says) {
			t.Errorf("%v: code %d, %s; want %d, %q", c.args, r.code, r.stderr, c.code, says)
		}
	}
	if r := chest(t, "", "features", "join", "--out", at("x"), at("four")); r.code != 1 || !strings.Contains(r.stderr, "no file holds shard 0/240, 1/240") {
		t.Errorf("a shard is missing: code %d, %s", r.code, r.stderr)
	}
}

// TestFeaturesOfFiles: chest features reads each benchmark and a folder of own
// images; the record says what was done to the pictures; what is not there is
// told.
func TestFeaturesOfFiles(t *testing.T) {
	dir := t.TempDir()
	for _, toy := range []string{"cub", "cars", "sop", "inshop", "folder"} {
		if r := chest(t, "", "data", "make-toy", toy, dir); r.code != 0 {
			t.Fatal(r.stderr)
		}
	}
	const steps = `Resize{Size:18 Filter:bicubic} → CentreCrop{Size:16} → Normalise{Mean:`
	for _, c := range []struct {
		args, says string
		code       int
	}{
		{"--data cub", "18×384 features of cub train by", 0},
		{"--data cars --part test", "18×384 features of cars test by", 0},
		{"--data sop --part test", "18×384 features of sop test by", 0},
		{"--data inshop --part test", "6×384 features of inshop test by", 0},
		{"--data inshop --part gallery", "12×384 features of inshop gallery by", 0},
		{"--data DIR/toy_folder --part gallery", "12×384 features of toy_folder gallery by", 0},
		{"--data cub --backbone resnet50 --image 32", "18×2048 features of cub train by resnet50", 0},
		{"--data cub --norm half", "18×384", 0},
		{"--data cub --part gallery", "CUB-200-2011 has no gallery", 1},
		{"--data cub --image 40", "multiple", 1},
		{"--data DIR/none", "or a folder of own images", 2},
	} {
		out := filepath.Join(t.TempDir(), "f.safetensors")
		args := append([]string{"features", "--weights", "untrained", "--image", "16", "--out", out}, strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))...)
		r := inData(t, dir, args...)
		if r.code != c.code || !strings.Contains(r.stdout+r.stderr, c.says) {
			t.Errorf("%s: code %d, %s%s; want %d, %q", c.args, r.code, r.stdout, r.stderr, c.code, c.says)
			continue
		}
		raw, err := os.ReadFile(out)
		mean := map[bool]string{false: "[0.485 0.456 0.406]", true: "[0.5 0.5 0.5]"}[strings.Contains(c.args, "half")]
		if want := steps + mean; c.code == 0 && !strings.Contains(c.args, "resnet50") && (err != nil || !bytes.Contains(raw, []byte(want))) {
			t.Errorf("%s: %v; the file does not say %q", c.args, err, want)
		}
	}
}

// TestFeaturesOfDamagedFiles: a damaged image ends the run with its name; mended,
// the run goes on to the bytes of one that never stopped. Or it is left out, named.
func TestFeaturesOfDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if r := chest(t, "", "data", "make-toy", "cub", dir); r.code != 0 {
		t.Fatal(r.stderr)
	}
	features := func(out string, args ...string) result {
		return inData(t, dir, append([]string{"features", "--data", "cub", "--weights", "untrained", "--image", "16", "--batch", "5", "--out", at(out)}, args...)...)
	}
	if r := features("whole"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	picture := at("CUB_200_2011/images/002.Blazon_B/Blazon_B_0012.jpg") // item 11
	whole, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	write := func(raw []byte) {
		if err := os.WriteFile(picture, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(whole[:len(whole)/2])
	r := features("again")
	for _, want := range []string{"item 11: ", "Blazon_B_0012.jpg", "(--damaged skip); the 10 items before it are in"} {
		if r.code != 1 || !strings.Contains(r.stderr, want) {
			t.Errorf("fatal: code %d, %s; want %q", r.code, r.stderr, want)
		}
	}
	if r := features("less", "--damaged", "skip"); r.code != 0 || !strings.Contains(r.stdout, "17×384 features of cub train less 1 damaged files by") ||
		!strings.Contains(r.stderr, "left out: 002.Blazon_B/Blazon_B_0012.jpg: ") {
		t.Errorf("skip: code %d, %s%s", r.code, r.stdout, r.stderr)
	}
	if r := features("again", "--damaged", "skip"); r.code != 1 || !strings.Contains(r.stderr, "it holds other features") {
		t.Errorf("skip after fatal: code %d, %s", r.code, r.stderr)
	}
	write(whole)
	if r := features("again"); r.code != 0 || !strings.Contains(r.stderr, "10 of 18 items are done already") {
		t.Errorf("mended: code %d, %s", r.code, r.stderr)
	}
	a, errA := os.ReadFile(at("whole"))
	b, errB := os.ReadFile(at("again"))
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("the file of a run that was resumed differs: %v %v", errA, errB)
	}
}

// inData runs the program with CHEST_DATA.
func inData(t *testing.T, dir string, args ...string) result {
	t.Helper()
	cmd := exec.Command(buildChest(t), args...)
	cmd.Env = append(os.Environ(), "CHEST_DATA="+dir)
	return runCommand(t, cmd, "")
}
