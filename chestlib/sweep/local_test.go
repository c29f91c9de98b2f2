package sweep

import (
	"context"
	"os/exec"
	"runtime"
	"slices"
	"testing"
)

// TestLocalGPUs runs two processes at a time: each sees a GPU of its own.
func TestLocalGPUs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs sh")
	}
	dir := t.TempDir()
	var tasks []Task
	for seed := range uint64(2) {
		c := quickConfig(t)
		c.Data, c.Seed, c.On = "any", seed, "cuda"
		task := Task{ID: c.ID(""), Config: c}
		if err := (Folder{dir, task.ID}).Open(c); err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, task)
	}
	l := Local{Slots: 2, GPUs: []string{"3", "7"}, Command: func(Folder) *exec.Cmd {
		return exec.Command("sh", "-c", "echo $CUDA_VISIBLE_DEVICES; sleep 0.5") // so that both are at work
	}}
	nothing := func(Task) {}
	if err := l.Run(context.Background(), dir, tasks, nothing, nothing); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, task := range tasks {
		seen = append(seen, Folder{dir, task.ID}.Log(1)...)
	}
	slices.Sort(seen)
	if !slices.Equal(seen, []string{"3", "7"}) {
		t.Errorf("the processes saw %q", seen)
	}
}

// TestOn trains where a config says: what is no device is an error at once, and a
// GPU that is not there is no record.
func TestOn(t *testing.T) {
	c := quickConfig(t)
	c.Data = "any"
	for on, ok := range map[string]bool{"": true, "cpu": true, "auto": true, "cuda": true, "cuda:1": true, "gpu": false, "cuda:": false, "cuda1": false} {
		if c.On = on; (c.check() == nil) != ok {
			t.Errorf("On %q: %v", on, c.check())
		}
	}
	c.On = "cuda:999" // not there on any machine
	f := Folder{t.TempDir(), c.ID("")}
	if err := f.Open(c); err != nil {
		t.Fatal(err)
	}
	_, err := f.Work(t.Context(), func(context.Context, string) (Data, error) { return quickData(), nil }, t.Output())
	if err == nil {
		t.Error("it was trained")
	}
	if state, _ := f.State(); state != Failed {
		t.Errorf("state %v, want failed: another try may find a GPU", state)
	}
	if _, err := f.Record(); err == nil {
		t.Error("there is a record")
	}
}
