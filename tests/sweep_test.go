package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// sweepPlan has 24 short runs.
const sweepPlan = `name: sizes
data: [blazons]
seeds: 3
base:
  Model: {Trunk: conv, Width: 4, DE: 8}
  Train: {Epochs: 3}
grid:
  Model.DH: [2, 4, 8, 16]
rows:
  - name: CHEST
  - name: no tree
    set: {Loss: {Name: chest, NoTree: true}}
`

// found is what the runs of a folder found, by their names, less times and hosts.
func found(t *testing.T, dir string) map[string]sweep.Record {
	t.Helper()
	folders, err := sweep.Folders(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]sweep.Record{}
	for _, f := range folders {
		r, err := f.Record()
		if err != nil {
			t.Errorf("run %s: %v", f.ID, err)
			continue
		}
		r.Made, r.Seconds = sweep.Made{}, 0
		for i := range r.History {
			r.History[i].Seconds = 0
		}
		all[f.ID] = r
	}
	return all
}

// slurmPlan is four runs of some seconds each, for clusters and containers.
const slurmPlan = `
name: small
data: [blazons]
seeds: 2
base:
  Model: {Trunk: conv, DE: 16, DH: 16}
  Train: {Epochs: 5}
grid:
  Train.Rate: [0.001, 0.004]
`

// TestSweepSurvivesKills kills a sweep of 24 runs, or the process of one of them,
// with SIGKILL at twenty random moments, begins it again each time, and compares
// the records with those of a sweep that was left alone: all there, each once,
// with the same bits.
func TestSweepSurvivesKills(t *testing.T) {
	buildChest(t)
	dir := t.TempDir()
	plan := writeFile(t, dir, "plan.yaml", sweepPlan)
	calm, rough := filepath.Join(dir, "calm"), filepath.Join(dir, "rough")
	if r := chest(t, "", "sweep", plan, "--dir", calm, "--jobs", "2"); r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	want := found(t, calm)
	if len(want) != 24 {
		t.Fatalf("%d records, want 24", len(want))
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("moments of seed %d", seed)
	rng := rand.New(rand.NewPCG(1, seed))
	kills := 0
	for begin := time.Now(); kills < 20; {
		if time.Since(begin) > 3*time.Minute {
			t.Fatalf("only %d kills in three minutes", kills)
		}
		kills += disturbed(t, rng, plan, rough)
		if len(recorded(rough)) == 24 { // done before twenty kills: some of it again
			for _, id := range recorded(rough)[:12] {
				if err := os.RemoveAll(filepath.Join(rough, id)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	r := chest(t, "", "sweep", plan, "--dir", rough, "--jobs", "2")
	if r.code != 0 {
		t.Fatalf("after the kills: exit %d\n%s", r.code, r.stderr)
	}
	got := found(t, rough)
	if len(got) != len(want) {
		t.Errorf("%d runs, want %d", len(got), len(want))
	}
	for id, w := range want {
		if g, there := got[id]; !there || !reflect.DeepEqual(g, w) {
			t.Errorf("run %s: found\n%+v\nwant\n%+v", id, g, w)
		}
	}
	again := chest(t, "", "sweep", plan, "--dir", rough)
	if again.code != 0 || strings.Contains(again.stderr, ": done") || !strings.Contains(again.stderr, "24 of 24 runs done") {
		t.Errorf("a second sweep ran something: exit %d\n%s", again.code, again.stderr)
	}
}

// recorded are the names of the runs that have a record.
func recorded(dir string) (ids []string) {
	folders, _ := sweep.Folders(dir)
	for _, f := range folders {
		if _, err := f.Record(); err == nil {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// disturbed runs the sweep, kills it or one of its processes, and waits for its
// end. It returns the number of processes killed.
func disturbed(t *testing.T, rng *rand.Rand, plan, dir string) int {
	t.Helper()
	cmd := exec.Command(program.path, "sweep", plan, "--dir", dir, "--jobs", "2")
	cmd.Env = append(os.Environ(), "CHEST_DATA=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(50+rng.IntN(1200)) * time.Millisecond)
	victim := cmd.Process.Pid
	if trials := childrenOf(victim); len(trials) > 0 && rng.IntN(2) == 0 {
		victim = trials[rng.IntN(len(trials))]
	}
	killed := 0
	if p, err := os.FindProcess(victim); err == nil && p.Kill() == nil {
		killed = 1
	}
	if victim != cmd.Process.Pid {
		time.Sleep(time.Duration(rng.IntN(600)) * time.Millisecond)
		cmd.Process.Kill()
	}
	cmd.Wait()
	return killed
}

// childrenOf are the processes that a process has begun.
func childrenOf(pid int) (all []int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		more, _ := os.ReadFile(path)
		text = append(append(text, ' '), more...)
	}
	for _, word := range strings.Fields(string(text)) {
		var n int
		if _, err := fmt.Sscan(word, &n); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// TestSweepDocs: the plan of the documentation is one, and its runs are as many as
// one would count.
func TestSweepDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/sweeps.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	plan, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("there is no plan in docs/sweeps.md")
	}
	p, err := sweep.ParsePlan([]byte(plan))
	if err != nil {
		t.Fatal(err)
	}
	cells, err := p.Cells()
	if err != nil || len(cells) != 9 || len(cells[0].Candidates) != 2 {
		t.Errorf("%d lines, %v", len(cells), err)
	}
}
