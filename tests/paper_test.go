package tests

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// TestPaper runs the whole of chest paper --quick: it is killed once and goes on; all
// notebooks are green; the same command again does nothing; without one record only
// that one is trained again, to the same scores.
func TestPaper(t *testing.T) {
	out := filepath.Join(t.TempDir(), "paper [1]")
	args := []string{"paper", "--quick", "-o", out}
	killPaper(t, args, filepath.Join(out, "11_ablation_terms", "notebook.ipynb"), filepath.Join(out, "runs"))

	r := chest(t, "", args...)
	if r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if strings.Contains(r.stderr, "01_quickstart runs") {
		t.Error("a notebook that was done before the kill ran again")
	}
	paths, err := filepath.Glob("../notebooks/*.ipynb")
	if err != nil || len(paths) < 9 {
		t.Fatal(paths, err)
	}
	page := read(t, filepath.Join(out, "index.html"))
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
		left := strings.Contains(r.stderr, name+" is left out: ")
		if left && os.Getenv("CHEST_DATA") != "" {
			t.Errorf("%s is left out though the data are here\n%s", name, r.stderr)
		}
		if !strings.Contains(page, `<a id="`+name+`">`) {
			t.Errorf("the report lacks %s", name)
		}
		if _, err := os.Stat(filepath.Join(out, name, "notebook.html")); left == (err == nil) {
			t.Errorf("%s: left out %v, its page: %v", name, left, err)
		}
	}
	for name, lines := range map[string]int{"11_ablation_terms": 5, "12_dimensions": 5, "13_curvature_clip": 6, "14_proxies": 4} {
		checkSweepChapter(t, filepath.Join(out, name), 2*lines)
	}

	before := paperFiles(t, out)
	if r := chest(t, "", args...); r.code != 0 || !strings.Contains(r.stderr, "nothing to do") {
		t.Errorf("again: exit %d\n%s", r.code, r.stderr)
	}
	if after := paperFiles(t, out); !slices.Equal(after, before) {
		t.Error("a run with nothing to do has changed files")
	}
	loseRecord(t, args, out)
	if r := chest(t, "", append(args, "14")...); r.code != 0 || !strings.Contains(r.stderr, "nothing to do: 1 notebooks") {
		t.Errorf("one notebook: exit %d\n%s", r.code, r.stderr)
	}
	oneChapterAlone(t, args, out)
}

// oneChapterAlone makes one notebook anew: the report has the others still.
func oneChapterAlone(t *testing.T, args []string, out string) {
	t.Helper()
	if err := os.Remove(filepath.Join(out, "14_proxies", "stamp.json")); err != nil {
		t.Fatal(err)
	}
	if r := chest(t, "", append(args, "14")...); r.code != 0 || !strings.Contains(r.stderr, "1 notebooks ran") {
		t.Fatalf("one notebook: exit %d\n%s", r.code, r.stderr)
	}
	page := read(t, filepath.Join(out, "index.html"))
	for _, name := range []string{"01_quickstart", "11_ablation_terms", "14_proxies"} {
		if !strings.Contains(page, name+"/notebook.html") {
			t.Errorf("the report of one notebook has lost %s", name)
		}
	}
}

// killPaper kills the command when a training of a notebook has left a record.
func killPaper(t *testing.T, args []string, notebook, runs string) {
	t.Helper()
	cmd := exec.Command(buildChest(t), args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for len(recorded(runs)) < 3 {
		select {
		case err := <-ended:
			t.Fatalf("it ended before it had three records: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	cmd.Process.Kill()
	<-ended
	if _, err := os.Stat(notebook); err == nil {
		t.Fatal("the kill came too late to tell anything")
	}
}

// checkSweepChapter looks at a notebook of sweeps: its runs, and its table in three
// forms.
func checkSweepChapter(t *testing.T, dir string, runs int) {
	t.Helper()
	var s struct{ Records []string }
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "stamp.json"))), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Records) != runs {
		t.Errorf("%s: %d runs, want %d", dir, len(s.Records), runs)
	}
	for _, form := range []string{"tex", "md", "csv"} {
		all, err := fs.Glob(os.DirFS(dir), "tables/*."+form)
		if err != nil || len(all) == 0 {
			t.Errorf("%s has no table as .%s", dir, form)
		}
	}
	texts := strings.Join(readSaved(t, filepath.Join(dir, "notebook.ipynb")).texts(t), "\n")
	if !strings.Contains(texts, "over 2 seeds") {
		t.Errorf("%s compares nothing:\n%s", dir, texts)
	}
}

// loseRecord removes a record; the command makes it again, and it alone.
func loseRecord(t *testing.T, args []string, out string) {
	t.Helper()
	all := recorded(filepath.Join(out, "runs"))
	lost := filepath.Join(out, "runs", all[len(all)/2], "record.json")
	was := readRecord(t, lost)
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	before := paperFiles(t, filepath.Join(out, "runs"))
	if r := chest(t, "", args...); r.code != 0 || !strings.Contains(r.stderr, "1 notebooks ran") {
		t.Fatalf("without a record: exit %d\n%s", r.code, r.stderr)
	}
	is := readRecord(t, lost)
	if !slices.Equal(was.E.Recall, is.E.Recall) || !slices.Equal(was.H.Recall, is.H.Recall) || was.Loss != is.Loss {
		t.Errorf("made again, it is another one:\n%+v\n%+v", was, is)
	}
	for _, f := range paperFiles(t, filepath.Join(out, "runs")) {
		other := !strings.HasPrefix(f, is.ID) && !strings.HasPrefix(f, "plans")
		if other && !slices.Contains(before, f) {
			t.Errorf("another run has changed: %s", f)
		}
	}
}

func readRecord(t *testing.T, path string) (r sweep.Record) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, path)), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// paperFiles are the files below dir with their times.
func paperFiles(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, st os.FileInfo, err error) error {
		if err == nil && !st.IsDir() && st.Name() != "lock" {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel+" "+st.ModTime().String())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
