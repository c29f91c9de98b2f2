package slurm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// frozen makes a list of five runs whose process is a line of shell.
func frozen(t *testing.T, shell string) Task {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b, err := (Engine{Command: []string{"chest"}, PerTask: 2}).newBatch(dir, []string{"a", "b", "c", "d", "e"}, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range b.runs {
		if err := os.MkdirAll(filepath.Join(dir, id), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return Task{Dir: dir, List: b.file("list"), Token: b.Token, PerTask: b.PerTask, Requeues: 2, Command: func(f sweep.Folder) *exec.Cmd {
		cmd := exec.Command(sh, "-c", shell)
		cmd.Dir = filepath.Join(f.Dir, f.ID)
		return cmd
	}}
}

func TestTask(t *testing.T) {
	record := "echo once >> attempts; echo '{\"E\":{\"Ks\":[1],\"Recall\":[0]},\"H\":{\"Ks\":[1],\"Recall\":[0]}}' > record.json"
	var log strings.Builder
	task := frozen(t, record)
	for task.Index = range 3 {
		if err := task.Run(context.Background(), &log); err != nil {
			t.Fatal(err)
		}
	}
	task.Index = 0
	if err := task.Run(context.Background(), &log); err != nil { // as after a requeue: all is there
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		if n := (sweep.Folder{Dir: task.Dir, ID: id}).Attempts(); n != 1 {
			t.Errorf("run %s was begun %d times", id, n)
		}
		if _, err := os.Stat(filepath.Join(task.Dir, id, "beat")); err == nil {
			t.Errorf("run %s still beats", id)
		}
	}
	for _, index := range []int{-1, 3} {
		task.Index = index
		if err := task.Run(context.Background(), &log); err == nil || !strings.Contains(err.Error(), "5 runs, 2 a task") {
			t.Errorf("task %d: error %v", index, err)
		}
	}
	if err := frozen(t, "exit 3").Run(context.Background(), &log); err == nil || !strings.Contains(err.Error(), "2 of the task's 2 runs") {
		t.Errorf("error %v", err)
	}
}

// TestToken: a node that sees another folder says so.
func TestToken(t *testing.T) {
	task := frozen(t, "echo '{\"E\":{\"Ks\":[1],\"Recall\":[0]},\"H\":{\"Ks\":[1],\"Recall\":[0]}}' > record.json")
	task.Token = "other"
	ctx, stop := context.WithCancel(context.Background())
	stop() // it waits no longer for the file
	err := task.Run(ctx, os.Stdout)
	if err == nil || !strings.Contains(err.Error(), "all nodes share") || !strings.Contains(err.Error(), task.Dir) {
		t.Errorf("error %v", err)
	}
	os.Remove(filepath.Join(filepath.Dir(task.List), "token"))
	if err := task.Run(ctx, os.Stdout); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error %v", err)
	}
}

// TestWarned: a task whose time ends asks for more, a number of times; one that is
// cancelled does not.
func TestWarned(t *testing.T) {
	task := frozen(t, "exit 1")
	f := newFake(t)
	t.Setenv("SLURM_ARRAY_JOB_ID", "12")
	t.Setenv("SLURM_ARRAY_TASK_ID", "3")
	for _, c := range []struct {
		restarts string
		cause    error
		asks     bool
		err      string
	}{
		{"", ErrWarned, true, ""},
		{"1", ErrWarned, true, ""},
		{"2", ErrWarned, false, "was begun 3 times"},
		{"", nil, false, "have no record"},
	} {
		f.set("calls", "")
		t.Setenv("SLURM_RESTART_COUNT", c.restarts)
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(c.cause)
		var log strings.Builder
		err := task.Run(ctx, &log)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%+v: error %v", c, err)
		}
		calls := strings.Join(f.calls("scontrol"), "; ")
		if asked := calls == "scontrol requeue 12_3"; asked != c.asks {
			t.Errorf("%+v: calls %q", c, calls)
		}
	}
}

// TestBeats: a beat counts if it is of another node and fresh.
func TestBeats(t *testing.T) {
	dir := t.TempDir()
	f := sweep.Folder{Dir: dir, ID: "a"}
	os.MkdirAll(filepath.Join(dir, "a"), 0o777)
	os.MkdirAll(filepath.Join(dir, "slurm"), 0o777)
	host, _ := os.Hostname()
	for _, c := range []struct {
		who  string
		age  time.Duration
		want bool
	}{{"elsewhere", 0, true}, {"elsewhere", 50 * time.Second, true}, {"elsewhere", 2 * time.Minute, false}, {host, 0, false}, {"", 0, false}} {
		os.WriteFile(beatFile(f), []byte(c.who), 0o666)
		then := time.Now().Add(-c.age)
		os.Chtimes(beatFile(f), then, then)
		if got := beats(f, clock(dir)); got != c.want {
			t.Errorf("a beat of %q, %s old: %v", c.who, c.age, got)
		}
	}
	os.Remove(beatFile(f))
	if beats(f, clock(dir)) {
		t.Error("a run without a beat beats")
	}
	stop := beat(f)
	for range 1000 {
		if _, err := os.Stat(beatFile(f)); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if all, _ := os.ReadDir(filepath.Join(dir, "slurm")); len(all) > 0 {
		t.Errorf("the clock left %v", all)
	}
	if _, err := os.Stat(beatFile(f)); err == nil {
		t.Error("it beats after its end")
	}
}
