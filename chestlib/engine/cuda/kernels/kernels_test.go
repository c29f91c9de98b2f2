package kernels

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

// TestSum: the PTX is what chest.sum says, made from the sources that are here.
func TestSum(t *testing.T) {
	sums, err := os.ReadFile("chest.sum")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(sums)) {
		if f := strings.Fields(line); len(f) == 2 && len(f[0]) == 64 {
			want[f[1]] = f[0]
		}
	}
	files := map[string][]byte{"chest.ptx": []byte(PTX)}
	names, err := fs.Glob(Sources, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if files[name], err = fs.ReadFile(Sources, name); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != want[name] {
			t.Errorf("%s is not what chest.ptx was made from: run sh generate.sh", name)
		}
	}
	if len(want) != len(files) {
		t.Errorf("chest.sum lists %d files, there are %d", len(want), len(files))
	}
}

// TestRegenerate compiles the kernels again and compares the bytes.
func TestRegenerate(t *testing.T) {
	if _, err := exec.LookPath("clang-19"); err != nil {
		if os.Getenv("CHEST_FULL") == "1" {
			t.Fatal("CHEST_FULL=1: no clang-19 to compile the kernels with (apt-get install clang-19)")
		}
		t.Skip("SKIPPED: no clang-19 to compile the kernels with (apt-get install clang-19)")
	}
	dir := t.TempDir()
	if out, err := exec.Command("sh", "generate.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("generate.sh: %v\n%s", err, out)
	}
	ours, err := os.ReadFile("chest.sum")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(dir, "chest.sum"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^compiler .*$`)
	if !bytes.Equal(line.Find(ours), line.Find(theirs)) {
		t.Skipf("SKIPPED: the PTX is by %s, here is %s", line.Find(ours), line.Find(theirs))
	}
	if !bytes.Equal(ours, theirs) {
		t.Errorf("generate.sh gives\n%swant\n%s", theirs, ours)
	}
}

// TestPTX: the kernels need nothing from elsewhere, and each source's kernels
// are there with as many parameters.
func TestPTX(t *testing.T) {
	if strings.Contains(PTX, ".extern") {
		t.Error("the PTX needs functions from elsewhere")
	}
	for _, want := range []string{"\n.version 7.0\n", "\n.target sm_80\n"} {
		if !strings.Contains(PTX, want) {
			t.Errorf("no %q in the PTX", want)
		}
	}
	entries, found := driver.Entries(PTX), 0
	names, err := fs.Glob(Sources, "*.cu")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		text, err := fs.ReadFile(Sources, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^KERN2?\(\d+\) void (\w+)\((.*)\) \{`).FindAllSubmatch(text, -1) {
			found++
			if want := bytes.Count(m[2], []byte(",")) + 1; len(entries[string(m[1])]) != want {
				t.Errorf("%s has %d parameters in the source and kinds %q in the PTX", m[1], want, entries[string(m[1])])
			}
		}
	}
	if found == 0 || found != len(entries) {
		t.Errorf("%d kernels in the sources, %d in the PTX", found, len(entries))
	}
}

// TestSplits: parts of a product depend on sizes alone and are never too thin.
func TestSplits(t *testing.T) {
	for _, c := range []struct{ m, n, k, want int }{{1024, 22636, 512, 1}, {1024, 512, 22636, 8}, {1, 1, 1, 1}, {10, 10, 100000, 256}, {22636, 512, 1024, 1}} {
		if got := Splits(c.m, c.n, c.k); got != c.want {
			t.Errorf("%d×%d×%d in %d parts, want %d", c.m, c.n, c.k, got, c.want)
		}
	}
}
