package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/wire"
)

// shortRun runs a notebook with the arguments that it names itself for a short run,
// and out in a folder; it returns the outputs and the folder.
func shortRun(t *testing.T, name string, args ...string) (nb saved, out string) {
	t.Helper()
	var meta struct {
		Metadata struct {
			Chest struct{ Quick []string }
		}
	}
	path := "../notebooks/" + name + ".ipynb"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &meta); err != nil {
		t.Fatal(err)
	}
	if len(meta.Metadata.Chest.Quick) == 0 {
		t.Fatalf("%s: the metadata name no arguments for a short run", path)
	}
	dir := t.TempDir()
	done, out := filepath.Join(dir, "done.ipynb"), filepath.Join(dir, "out")
	args = append([]string{"run", path, "-o", done, "-p", "dir=" + filepath.Join(dir, "runs"), "-p", "out=" + out}, args...)
	for _, p := range meta.Metadata.Chest.Quick {
		args = append(args, "-p", p)
	}
	if r := chest(t, "", args...); r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	return readSaved(t, done), out
}

// written fails unless a report has the tables and figures.
func written(t *testing.T, out string, tables, figures []string) {
	t.Helper()
	for _, name := range tables {
		if _, err := os.Stat(filepath.Join(out, "tables", name+".tex")); err != nil {
			t.Error(err)
		}
	}
	for _, name := range figures {
		if _, err := os.Stat(filepath.Join(out, "figures", name+".pdf")); err != nil {
			t.Error(err)
		}
	}
}

// TestHierarchyNotebook: without the tables of UCI the notebook says so in a line;
// each training has its rows, and what is said to be found is said of all.
func TestHierarchyNotebook(t *testing.T) {
	t.Setenv("CHEST_DATA", t.TempDir())
	nb, out := shortRun(t, "16_hierarchy")
	texts := nb.texts(t)
	all := strings.Join(texts, "\n")
	for _, name := range []string{"K = 10, no tree", "K = 10, tree", "K = 1, no tree", "K = 1, tree", "K = 1, tree × 10"} {
		for _, tree := range []string{"ball, HypHC", "ball, average", "sphere, average", "average", "HypHC"} {
			row := tableRow(t, texts, strings.Fields(name+" "+tree)...) // families, orders, triplets, cost, and classes of ten proxies
			if cost := row[len(row)-1]; len(row) < 4 || cost < 1 {
				t.Errorf("%s, %s: %v; no tree is cheaper than the true one", name, tree, row)
			}
		}
	}
	if chance := tableRow(t, texts, "none", "random"); chance[3] < 25 || chance[3] > 42 {
		t.Errorf("a random tree agrees on %g of 100 triplets, want about 33", chance[3])
	}
	for part, n := range map[string]int{"over 2 seeds": 28, "zoo.data": 1, "iris.data": 1, "glass.data": 1, "On these data": 1} {
		if got := strings.Count(all, part); got < n {
			t.Errorf("%q %d times, want %d, in\n%s", part, got, n, all)
		}
	}
	written(t, out, []string{"proxies", "embeddings"}, []string{"true", "read", "disk"})
}

// TestHierarchyNotebookUCI: with the tables there, HypHC finds trees about as cheap
// as linkage does, and all are better than random ones.
func TestHierarchyNotebookUCI(t *testing.T) {
	if os.Getenv("CHEST_DATA") == "" {
		t.Skip("SKIPPED: CHEST_DATA is not set; the table needs the files of UCI, which no package installs")
	}
	nb, out := shortRun(t, "16_hierarchy")
	texts := nb.texts(t)
	written(t, out, []string{"uci"}, []string{"uci"})
	csv, err := os.ReadFile(filepath.Join(out, "tables", "uci.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(csv)), "\n"); len(lines) != 7 {
		t.Errorf("%d lines, want a head and six methods:\n%s", len(lines), csv)
	}
	verdict := regexp.MustCompile(`(zoo|iris|glass): the cost of HypHC's trees is ([+-]\d+\.\d) % away`)
	if found := verdict.FindAllString(strings.Join(texts, "\n"), -1); len(found) != 3 {
		t.Errorf("verdicts %q, want one of each table", found)
	}
}

// TestEmbeddingsNotebook: every reduction has a row, and there are pictures of all.
func TestEmbeddingsNotebook(t *testing.T) {
	nb, out := shortRun(t, "17_embeddings")
	texts := nb.texts(t)
	for _, name := range []string{"ball tangent PCA", "ball HoroPCA", "ball h-MDS", "ball h-MDS, stress", "ball UMAP", "ball CO-SNE", "sphere PCA", "sphere UMAP"} {
		row := tableRow(t, texts, strings.Fields(name)...)
		if len(row) < 4 || row[0] <= 0 || row[0] > 1 || row[len(row)-1] > 100 {
			t.Errorf("%s: %v", name, row)
		}
	}
	if n := nb.count("image/png", ""); n != 3 {
		t.Errorf("%d pictures, want the images and both figures", n)
	}
	written(t, out, []string{"reductions"}, []string{"distances", "neighbours"})
}

// TestExploreNotebook: in a run that nobody watches the pictures stand for the
// parameters, and the sliders are lines of text.
func TestExploreNotebook(t *testing.T) {
	nb, out := shortRun(t, "18_explore", "-p", "query=7")
	all := strings.Join(nb.texts(t), "\n")
	for _, want := range []string{"<slider query: 7 of 0 to 239>", "<slider log10 c: -1 of -3 to 1>", "seen from image 7", "Heat map", "Tour from c = 0.001 to c = 10"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if n := nb.count("image/png", ""); n != 7 {
		t.Errorf("%d pictures, want 7", n)
	}
	written(t, out, []string{"balls"}, []string{"ball", "sphere", "disk", "heat", "tour"})
}

// TestExploreSlider moves the sliders of the notebook as a front end does: the
// pictures are replaced.
func TestExploreSlider(t *testing.T) {
	f := startKernel(t)
	sliders := map[string]string{} // label to line
	for _, code := range sources(t, "18_explore")[:4] {
		if strings.HasPrefix(code, "data :=") {
			code = regexp.MustCompile(`epochs := \d+`).ReplaceAllString(code, "epochs := 1")
		}
		for _, m := range f.cell(code).iopub {
			var open struct {
				ID   string `json:"comm_id"`
				Data struct{ State map[string]any }
			}
			switch m.Header.MsgType {
			case "error":
				t.Fatalf("%s", m.Content)
			case "comm_open":
				if m.Into(&open) == nil {
					sliders[fmt.Sprint(open.Data.State["description"])] = open.ID
				}
			}
		}
	}
	for _, move := range []struct {
		label string
		value float64
		says  []string
	}{
		{"query", 101, []string{"Nearest in the ball", "Nearest on the sphere", "seen from image 101"}},
		{"log10 c", 0, []string{"c = 1, r"}},
		{"clip r", 0.5, []string{"c = 1, r = 0.5"}},
	} {
		id, ok := sliders[move.label]
		if !ok {
			t.Fatalf("no slider %q in %v", move.label, sliders)
		}
		sent, err := f.Send(wire.Shell, "comm_msg", wire.CommMessage{CommID: id, Data: map[string]any{
			"method": "update", "state": map[string]any{"value": move.value},
		}})
		if err != nil {
			t.Fatal(err)
		}
		updates := f.updates(sent)
		if len(updates) != len(move.says) {
			t.Fatalf("%s: %d pictures replaced, want %d: %q", move.label, len(updates), len(move.says), updates)
		}
		for i, want := range move.says {
			if !strings.Contains(updates[i], want) {
				t.Errorf("%s: %q, want %q", move.label, updates[i], want)
			}
		}
	}
}

// updates waits until a message without a reply is done, and returns the texts of
// what it replaced.
func (f *frontEnd) updates(id string) (texts []string) {
	f.Helper()
	for m := range f.IOPub() {
		if m.Parent.MsgID != id {
			continue
		}
		var d wire.DisplayData
		switch m.Header.MsgType {
		case "update_display_data":
			if m.Into(&d) == nil {
				texts = append(texts, fmt.Sprint(d.Data[display.MIMEText]))
			}
		case "status":
			if strings.Contains(string(m.Content), wire.Idle) {
				return texts
			}
		}
	}
	f.Fatal("the kernel has gone")
	return nil
}

// sources are the code cells of a notebook.
func sources(t *testing.T, name string) (all []string) {
	t.Helper()
	var nb struct {
		Cells []struct {
			Type   string `json:"cell_type"`
			Source any    `json:"source"`
		} `json:"cells"`
	}
	raw, err := os.ReadFile("../notebooks/" + name + ".ipynb")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &nb); err != nil {
		t.Fatal(err)
	}
	for _, c := range nb.Cells {
		if c.Type == "code" {
			all = append(all, joined(c.Source))
		}
	}
	return all
}
