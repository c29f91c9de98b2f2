package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// quick asks often.
func quick() Engine {
	return Engine{Command: []string{"/opt/chest", "trial"}, Poll: 5 * time.Millisecond, Settle: 20 * time.Millisecond}
}

func tasks(n int) (all []sweep.Task) {
	for i := range n {
		all = append(all, sweep.Task{ID: fmt.Sprintf("run%02d", i)})
	}
	return all
}

// counted runs an engine and counts what it says of each run.
func counted(ctx context.Context, e Engine, dir string, all []sweep.Task) (begun, done map[string]int, err error) {
	begun, done = map[string]int{}, map[string]int{}
	err = e.Run(ctx, dir, all, func(t sweep.Task) { begun[t.ID]++ }, func(t sweep.Task) {
		if begun[t.ID] != 1 {
			begun[t.ID] = -1 // done before it began
		}
		done[t.ID]++
	})
	return begun, done, err
}

// once checks that all runs began and ended once, and were done once.
func once(t *testing.T, f fake, all []sweep.Task, begun, done map[string]int) {
	t.Helper()
	did := strings.Fields(f.get("did"))
	slices.Sort(did)
	for i, task := range all {
		if begun[task.ID] != 1 || done[task.ID] != 1 {
			t.Errorf("%s: begun %d times, done %d times", task.ID, begun[task.ID], done[task.ID])
		}
		if len(did) != len(all) || did[i] != task.ID {
			t.Fatalf("runs %v, want each of %d once", did, len(all))
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		most, perTask, throttle, runs int
		arrays                        []string
	}{
		{1001, 1, 0, 29, []string{"--array=0-28"}},
		{1001, 3, 0, 29, []string{"--array=0-9"}},
		{4, 3, 0, 29, []string{"--array=0-3", "--array=0-3", "--array=0-1"}},
		{4, 3, 2, 24, []string{"--array=0-3%2", "--array=0-3%2"}},
		{1, 50, 0, 29, []string{"--array=0-0"}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			f, e := newFake(t), quick()
			f.set("config", fmt.Sprintf("MaxArraySize = %d\n", c.most))
			e.PerTask, e.Throttle, e.Flags = c.perTask, c.throttle, []string{"--partition=gpu", "--comment=two words"}
			begun, done, err := counted(context.Background(), e, t.TempDir(), tasks(c.runs))
			if err != nil {
				t.Fatal(err)
			}
			once(t, f, tasks(c.runs), begun, done)
			calls := f.calls("sbatch")
			if len(calls) != len(c.arrays) {
				t.Fatalf("%d submissions, want %d: %q", len(calls), len(c.arrays), calls)
			}
			for i, call := range calls {
				if !strings.Contains(call, c.arrays[i]+" ") || !strings.Contains(call, " --partition=gpu --comment=two words ") {
					t.Errorf("submission %q, want %s", call, c.arrays[i])
				}
				if chained := strings.Contains(call, "--dependency=afterany:"); chained != (i > 0 && c.throttle > 0) {
					t.Errorf("submission %d waits for another: %v", i, chained)
				}
			}
		})
	}
}

// TestForgotten: a job that the controller lost before it began is submitted again,
// but not for ever.
func TestForgotten(t *testing.T) {
	for _, c := range []struct{ forget, submissions int }{{0, 1}, {1, 2}, {2, 3}, {9, 3}} {
		f := newFake(t)
		f.set("forget", fmt.Sprint(c.forget))
		begun, done, err := counted(context.Background(), quick(), t.TempDir(), tasks(3))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(f.calls("sbatch")); n != c.submissions {
			t.Errorf("%d jobs forgotten: %d submissions, want %d", c.forget, n, c.submissions)
		}
		if c.forget < 3 {
			once(t, f, tasks(3), begun, done)
		} else if done["run00"] != 1 {
			t.Errorf("a run that never began is not given back: %v", done)
		}
	}
}

// TestReusedID: after a crash of the controller another job has the id. It is no
// sign of life of ours, and is not cancelled.
func TestReusedID(t *testing.T) {
	f := newFake(t)
	f.set("forget", "1")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	e := quick()
	var again int
	e.Log = func(line string) {
		if strings.HasPrefix(line, "slurm: job 100") {
			f.save(fakeJob{ID: "100", Name: "somebody", States: []string{"RUNNING", "RUNNING"}})
			f.set("state", "RUNNING") // of the next one, which is ours
		}
		if strings.HasPrefix(line, "slurm: job 101") {
			again++
			stop()
		}
	}
	if _, _, err := counted(ctx, e, t.TempDir(), tasks(2)); err != nil {
		t.Fatal(err)
	}
	if calls := f.calls("scancel"); again != 1 || len(calls) != 1 || calls[0] != "scancel 101" {
		t.Errorf("submitted again %d times; cancelled %q, want 101 alone", again, calls)
	}
}

func TestRefused(t *testing.T) {
	f := newFake(t)
	said := recordedBy(t, "22.05.8")["refused"]
	f.set("refuse", said[:strings.Index(said, "exit ")])
	e := quick()
	e.Flags = []string{"--partition=no"}
	_, done, err := counted(context.Background(), e, t.TempDir(), tasks(2))
	if err == nil || len(done) > 0 {
		t.Fatalf("done %v, %v", done, err)
	}
	for _, want := range []string{"sbatch --parsable --job-name=chest-", "--partition=no", "Invalid partition name specified", "(sinfo)"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q has no %q", err, want)
		}
	}
	if n := len(f.calls("sbatch")); n != 1 {
		t.Errorf("%d submissions of what was refused", n)
	}
	t.Setenv("PATH", t.TempDir())
	if _, _, err := counted(context.Background(), quick(), t.TempDir(), tasks(1)); err == nil || !strings.Contains(err.Error(), "login node") {
		t.Errorf("without Slurm: error %v", err)
	}
}

// TestLostAnswer: a job that was taken though sbatch heard nothing is not submitted
// twice.
func TestLostAnswer(t *testing.T) {
	f := newFake(t)
	f.set("lose", "yes")
	begun, done, err := counted(context.Background(), quick(), t.TempDir(), tasks(3))
	if err != nil {
		t.Fatal(err)
	}
	once(t, f, tasks(3), begun, done)
	if n := len(f.calls("sbatch")); n != 1 {
		t.Errorf("%d submissions, want 1", n)
	}
}

// TestAway: while the controller does not answer nothing is lost.
func TestAway(t *testing.T) {
	f := newFake(t)
	e, dir := quick(), t.TempDir()
	f.set("state", "RUNNING")
	e.Log = func(line string) {
		switch {
		case strings.HasPrefix(line, "slurm: job 100"):
			f.set("away", "20")
		case strings.Contains(line, "Unable to contact"):
			f.set("job-100", "") // it forgot
			for _, task := range tasks(2) {
				finish(dir, task.ID)
			}
		}
	}
	_, done, err := counted(context.Background(), e, dir, tasks(2))
	if err != nil || done["run00"] != 1 || done["run01"] != 1 || len(f.calls("sbatch")) != 1 {
		t.Errorf("done %v, %v, submissions %q", done, err, f.calls("sbatch"))
	}
}

func TestCancel(t *testing.T) {
	f := newFake(t)
	f.set("state", "PENDING")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	e := quick()
	e.Log = func(line string) {
		if strings.HasPrefix(line, "slurm: job 100") {
			stop()
		}
	}
	dir := t.TempDir()
	begun, done, err := counted(ctx, e, dir, tasks(2))
	if calls := f.calls("scancel"); err != nil || len(begun)+len(done) > 0 || len(calls) != 1 || calls[0] != "scancel 100" {
		t.Errorf("begun %v, done %v, cancelled %q, %v", begun, done, calls, err)
	}
	if left, err := batches(dir); len(left) != 0 || err != nil {
		t.Errorf("%d submissions are still watched, %v", len(left), err)
	}
}

// TestAdopt: what is under way is waited for, with new runs beside it.
func TestAdopt(t *testing.T) {
	f := newFake(t)
	f.set("state", "RUNNING")
	e, dir := quick(), t.TempDir()
	e.Detach, e.Gather = true, []string{"/opt/chest", "sweep", "a plan"}
	if _, _, err := counted(context.Background(), e, dir, tasks(2)); !errors.Is(err, ErrDetached) {
		t.Fatal(err)
	}
	if calls := f.calls("sbatch"); len(calls) != 2 || !strings.Contains(calls[1], "--dependency=afterany:100 ") {
		t.Errorf("no job gathers: %q", calls)
	}
	f.set("state", "")
	e = quick()
	e.Log = func(line string) {
		if strings.HasPrefix(line, "slurm: job 102") { // the new one; the old one goes on
			f.append("did", "run00\nrun01\n")
			finish(dir, "run00")
			finish(dir, "run01")
			f.save(fakeJob{ID: "100", Name: f.jobs()[0].Name, States: []string{"COMPLETED", "COMPLETED"}})
		}
	}
	begun, done, err := counted(context.Background(), e, dir, tasks(3))
	if err != nil {
		t.Fatal(err)
	}
	once(t, f, tasks(3), begun, done)
	if waited, err := e.Wait(context.Background(), dir); waited || err != nil {
		t.Errorf("waited %v for nothing, %v", waited, err)
	}
}

// TestAccounts: what squeue has forgotten the accounting may know, and then nothing
// is waited for; its word on a job of another name is not taken.
func TestAccounts(t *testing.T) {
	for _, other := range []bool{false, true} {
		f := newFake(t)
		f.set("forget", "9")
		e, dir := quick(), t.TempDir()
		e.Log = func(line string) {
			if !strings.HasPrefix(line, "slurm: job 100") {
				return
			}
			name := f.jobs()[0].Name
			if other {
				name = "somebody"
			}
			f.set("account", "100_0|CANCELLED by 1000|0:15|"+name+"\n")
		}
		_, done, err := counted(context.Background(), e, dir, tasks(1))
		if err != nil || done["run00"] != 1 {
			t.Errorf("done %v, %v", done, err)
		}
		if n := len(f.calls("sbatch")); (n == 1) == other {
			t.Errorf("%d submissions after the accounting spoke of another's job: %v", n, other)
		}
	}
}

// TestUnbegun: tasks that end before they begin say why.
func TestUnbegun(t *testing.T) {
	for log, want := range map[string]string{"": "there is no log", "no such program\n": "no such program"} {
		f := newFake(t)
		f.set("state", "FAILED")
		e, dir := quick(), t.TempDir()
		e.Log = func(line string) {
			all, _ := filepath.Glob(filepath.Join(dir, "slurm", "chest-*"))
			if log != "" && len(all) > 0 {
				os.WriteFile(filepath.Join(all[0], "100_0.log"), []byte(log), 0o666)
			}
		}
		_, done, err := counted(context.Background(), e, dir, tasks(1))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "task 0 of job 100 on node n1: FAILED") || done["run00"] != 1 {
			t.Errorf("done %v, error %v, want %q", done, err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	newFake(t)
	for want, change := range map[string]func(e *Engine){
		"--array itself":      func(e *Engine) { e.Flags = []string{"--array=0-3"} },
		"-J itself":           func(e *Engine) { e.Flags = []string{"-Jname"} },
		"--output itself":     func(e *Engine) { e.Flags = []string{"--output=x"} },
		"such as --partition": func(e *Engine) { e.Flags = []string{"gpu"} },
		"Throttle -1":         func(e *Engine) { e.Throttle = -1 },
		"no Command":          func(e *Engine) { e.Command = nil },
	} {
		e := quick()
		change(&e)
		if _, _, err := counted(context.Background(), e, t.TempDir(), tasks(1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestPlan(t *testing.T) {
	f := newFake(t)
	f.set("config", "MaxArraySize = 2\n")
	e := quick()
	e.Throttle, e.Flags, e.Warning = 1, []string{"--constraint=a|b"}, time.Minute
	script, commands, err := e.Plan(context.Background(), "/data/my runs/50%", 3)
	if err != nil || len(commands) != 2 || !strings.Contains(commands[1], "'--constraint=a|b'") || !strings.Contains(commands[1], "--dependency=afterany:JOB") {
		t.Errorf("%q, %v", commands, err)
	}
	for _, want := range []string{
		"#!/bin/bash\n",
		`#SBATCH --output="/data/my runs/50%%/slurm/chest-NAME/%A_%a.log"` + "\n",
		"#SBATCH --signal=B:USR1@60\n",
		`exec /opt/chest trial --dir '/data/my runs/50%' --list '/data/my runs/50%/slurm/chest-NAME/list'`,
	} {
		if !strings.Contains(script, want) {
			t.Errorf("the script has no %q:\n%s", want, script)
		}
	}
	if len(f.calls("sbatch")) > 0 {
		t.Error("something was submitted")
	}
}
