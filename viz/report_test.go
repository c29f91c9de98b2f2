package viz

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listing is the files below a folder, sorted.
func listing(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// filled is a report with a figure, two tables and settings.
func filled(t *testing.T, dir string) *Report {
	t.Helper()
	r := NewReport(dir).Title("Dual space: 50% & 中文")
	xy, label, _ := cloud(60, 3)
	for _, err := range []error{
		r.Config(map[string]any{"rate": 4e-3, "loss": "chest"}, 1, 2, 3),
		r.Figure("disk", Disk(xy, label, DiskOptions{Title: "A & B_1", Classes: []string{"a", "b", "c"}})),
		r.Table("main", results()),
		r.Table("few", NewTable("中 & κ", "method", "R@1").Row("中文", 1)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "paper")
	r := filled(t, dir)
	want := []string{"README.md", "config.json", "figures/disk.pdf", "figures/disk.png", "figures/disk.svg", "main.tex",
		"tables/few.csv", "tables/few.md", "tables/few.tex", "tables/main.csv", "tables/main.md", "tables/main.tex"}
	if got := listing(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, want := range map[string]string{
		"tables/main.tex": results().LaTeX(), "tables/main.csv": results().CSV(), "tables/main.md": results().Markdown(),
		"figures/disk.pdf": "%PDF-", "figures/disk.svg": "<svg", "figures/disk.png": "\x89PNG",
		"tables/few.tex": `\label{tab:few}`, "main.tex": `\input{tables/few}`, "README.md": "](figures/disk.png)",
	} {
		if !strings.Contains(read(name), want) {
			t.Errorf("%s has no %q", name, want)
		}
	}
	var c struct {
		Config map[string]any
		Seeds  []uint64
	}
	if err := json.Unmarshal([]byte(read("config.json")), &c); err != nil || c.Config["loss"] != "chest" || !slices.Equal(c.Seeds, []uint64{1, 2, 3}) {
		t.Errorf("config %+v, %v", c, err)
	}
	if s := r.String(); !strings.HasSuffix(s, "paper: 1 figure, 2 tables") {
		t.Error(s)
	}
	again := filled(t, dir) // replaces its own
	if err := again.Table("few", few()); err != nil || strings.Count(read("main.tex"), `\input{tables/few}`) != 1 {
		t.Errorf("a table of the same name: %v\n%s", err, read("main.tex"))
	}
}

func TestReportConfigText(t *testing.T) {
	dir := t.TempDir()
	for in, want := range map[any]string{`{"a": 1}`: `"a": 1`, "no { JSON": `"config": "no { JSON"`, nil: `"config": null`} {
		if err := NewReport(dir).Config(in); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "config.json"))
		if err != nil || !strings.Contains(string(b), want) || !strings.Contains(string(b), `"seeds": []`) {
			t.Errorf("%v: %v\n%s", in, err, b)
		}
	}
}

// TestReportRefuses: a name is no path, a paper's own main.tex stays, and what
// cannot be drawn or written leaves nothing.
func TestReportRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"", "../x", "a/b", `a\b`, "/etc/x", ".x", "-x", "a b", "é", "a.b", "a%b", "a\n", strings.Repeat("x", 65)} {
		if err := NewReport(dir).Table(name, few()); err == nil || !strings.HasPrefix(err.Error(), "viz: report: the name ") {
			t.Errorf("%q: %v", name, err)
		}
	}
	bad := Disk([]float64{0.1, math.NaN()}, nil, DiskOptions{})
	if err := NewReport(dir).Figure("disk", bad); err == nil || !strings.HasPrefix(err.Error(), `viz: report: figure "disk": `) {
		t.Errorf("NaN: %v", err)
	}
	if err := NewReport(dir).Config(math.NaN()); err == nil {
		t.Error("a config of NaN was written")
	}
	if got := listing(t, dir); len(got) > 0 {
		t.Errorf("left behind: %q", got)
	}
	own := filepath.Join(dir, "main.tex")
	if err := os.WriteFile(own, []byte("my paper\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := NewReport(dir).Table("main", few()); err == nil || !strings.Contains(err.Error(), own+" is not a report's") {
		t.Errorf("own main.tex: %v", err)
	}
	if b, err := os.ReadFile(own); string(b) != "my paper\n" || len(listing(t, dir)) != 1 {
		t.Errorf("%q, %v, %q", b, err, listing(t, dir))
	}
}

// TestReportCompiles sets main.tex by the installed engines.
func TestReportCompiles(t *testing.T) {
	found := 0
	for _, engine := range []string{"pdflatex", "xelatex"} {
		path, err := exec.LookPath(engine)
		if err != nil {
			continue
		}
		found++
		dir := t.TempDir()
		r := filled(t, dir)
		for _, wide := range []int{40, 60, 75} { // characters of a label, beside some 50 of numbers
			name := strings.Repeat("label ", wide/6)
			tab := NewTable("wide", "method", "R@1", "R@2", "R@4", "R@8", "MAP@R").Row(name, 1.5, 2.5, 3.5, 4.5, 5.5).
				Row("", Stat{10, 1, 3}, Stat{10, 1, 3}, Stat{10, 1, 3}, Stat{10, 1, 3}, Stat{10, 1, 3})
			if err := r.Table(fmt.Sprintf("wide%d", wide), tab); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(path, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "main.tex")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "Overfull \\hbox") {
			t.Errorf("%s: %v\n%s", engine, err, out)
		}
	}
	switch {
	case found > 0:
	case os.Getenv("CHEST_FULL") == "1":
		t.Fatal("CHEST_FULL=1: neither pdflatex nor xelatex is installed (sh tests/install.sh)")
	default:
		t.Skip("SKIPPED: neither pdflatex nor xelatex is installed (sh tests/install.sh)")
	}
}

func ExampleReport() {
	dir, err := os.MkdirTemp("", "paper-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	r := NewReport(dir)
	if err := r.Config(map[string]any{"epochs": 14}, 1, 2); err != nil {
		panic(err)
	}
	if err := r.Table("main", NewTable("Unseen classes", "method", "R@1").Percent().Row("CHEST", MeanStd(0.61, 0.62))); err != nil {
		panic(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "tables", "main.csv"))
	if err != nil {
		panic(err)
	}
	fmt.Print(string(b))
	// Output:
	// method,R@1,R@1 std,R@1 n
	// CHEST,0.615,0.007071067811865481,2
}
