package tests

import (
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
	for says, c := range map[string]struct {
		code int
		args []string
	}{
		`its transform is "drawn at 16×16 in colour; less mean [0.485`: {1, []string{"--out", at("four"), "--shard", part, "--norm", "half"}},
		`its data set is "blazons train", not "blazons test"`:          {1, []string{"--out", at("four"), "--shard", part, "--part", "test"}},
		"CHEST_WEIGHTS":              {1, []string{"--out", at("x"), "--weights", "none.safetensors"}},
		"at least 32×32":             {1, []string{"--out", at("x"), "--backbone", "resnet50"}},
		`--data "cub"; want blazons`: {2, []string{"--out", at("x"), "--data", "cub"}},
		"--norm \"none\"":            {2, []string{"--out", at("x"), "--norm", "none"}},
		"--part \"all\"":             {2, []string{"--out", at("x"), "--part", "all"}},
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
