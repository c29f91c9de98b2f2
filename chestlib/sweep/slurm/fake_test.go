package slurm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/sweep"
)

// TestMain is also each of Slurm's commands, by the name it is called by.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FAKE_SLURM"); dir != "" {
		f := fake{dir}
		command := map[string]func(args []string) int{"sbatch": f.sbatch, "squeue": f.squeue, "sacct": f.sacct, "scancel": f.scancel, "scontrol": f.scontrol}[filepath.Base(os.Args[0])]
		if command != nil {
			f.append("calls", filepath.Base(os.Args[0])+" "+strings.Join(os.Args[1:], " ")+"\n")
			os.Exit(command(os.Args[1:]))
		}
	}
	os.Exit(m.Run())
}

// fake is a Slurm whose jobs are files, and whose tasks do their runs when they are
// submitted. Files in dir tell it to misbehave:
//
//	forget N   the first N jobs vanish, and nothing is run
//	lose       sbatch takes a job but its answer is lost
//	refuse     sbatch says this and takes nothing
//	state      tasks begin no run and are in this state at once
//	config     of scontrol show config
//	account    of sacct; without it there is none
//	away N     squeue cannot reach the controller N times
type fake struct{ dir string }

// fakeJob is a job of the fake.
type fakeJob struct {
	ID, Name string
	States   []string // of its tasks
	Hidden   bool     // forgotten
}

// newFake puts a fake Slurm on PATH.
func newFake(t *testing.T) fake {
	t.Helper()
	f := fake{t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sbatch", "squeue", "sacct", "scancel", "scontrol"} {
		if err := os.Symlink(self, filepath.Join(f.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", f.dir)
	t.Setenv("FAKE_SLURM", f.dir)
	return f
}

func (f fake) set(name, text string) { os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o666) }
func (f fake) get(name string) string {
	text, _ := os.ReadFile(filepath.Join(f.dir, name))
	return string(text)
}

func (f fake) append(name, text string) {
	file, err := os.OpenFile(filepath.Join(f.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err == nil {
		file.WriteString(text)
		file.Close()
	}
}

// less counts a number in a file down and says that it was not 0.
func (f fake) less(name string) bool {
	n, _ := strconv.Atoi(f.get(name))
	f.set(name, strconv.Itoa(max(n-1, 0)))
	return n > 0
}

// calls are the calls of a command.
func (f fake) calls(command string) (all []string) {
	for line := range strings.Lines(f.get("calls")) {
		if strings.HasPrefix(line, command+" ") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

func (f fake) jobs() (all []fakeJob) {
	paths, _ := filepath.Glob(filepath.Join(f.dir, "job-*"))
	for _, path := range paths {
		var j fakeJob
		text, _ := os.ReadFile(path)
		if json.Unmarshal(text, &j) == nil {
			all = append(all, j)
		}
	}
	return all
}

func (f fake) save(j fakeJob) {
	text, _ := json.Marshal(j)
	f.set("job-"+j.ID, string(text))
}

// value is that of --name=value.
func value(args []string, name string) string {
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return ""
}

func (f fake) sbatch(args []string) int {
	if text := f.get("refuse"); text != "" {
		fmt.Fprint(os.Stderr, text)
		return 1
	}
	j := fakeJob{ID: strconv.Itoa(100 + len(f.jobs())), Name: value(args, "--job-name")}
	n := 1
	if array := value(args, "--array"); array != "" {
		array, _, _ = strings.Cut(array, "%")
		last, err := strconv.Atoi(strings.TrimPrefix(array, "0-"))
		if err != nil {
			fmt.Fprintln(os.Stderr, "sbatch: error: Batch job submission failed: Invalid job array specification")
			return 1
		}
		n = last + 1
	}
	state := f.get("state")
	for range n {
		j.States = append(j.States, state)
	}
	switch {
	case f.less("forget"):
		j.Hidden = true
	case state == "":
		for k := range n {
			j.States[k] = f.do(args[len(args)-2], args[len(args)-1], k)
		}
	}
	f.save(j)
	if f.get("lose") != "" {
		fmt.Fprintln(os.Stderr, "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
		return 1
	}
	fmt.Println(j.ID + ";cluster")
	return 0
}

// do does the runs of a task and returns its state.
func (f fake) do(script, first string, k int) string {
	var b batch
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(script), "jobs.json"))
	offset, err := strconv.Atoi(first)
	if err != nil || json.Unmarshal(text, &b) != nil {
		return "FAILED"
	}
	runs, _ := readList(filepath.Join(filepath.Dir(script), "list"))
	dir := filepath.Dir(filepath.Dir(filepath.Dir(script)))
	task := offset + k
	for _, id := range runs[task*b.PerTask : min((task+1)*b.PerTask, len(runs))] {
		finish(dir, id)
		f.append("did", id+"\n")
	}
	return "COMPLETED"
}

// finish writes what a run leaves.
func finish(dir, id string) {
	os.MkdirAll(filepath.Join(dir, id), 0o777)
	os.WriteFile(filepath.Join(dir, id, "attempts"), []byte("one\n"), 0o666)
	text, _ := json.Marshal(sweep.Record{ID: id})
	os.WriteFile(filepath.Join(dir, id, "record.json"), text, 0o666)
}

func (f fake) squeue(args []string) int {
	if f.less("away") {
		fmt.Fprintln(os.Stderr, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
		return 1
	}
	asked := func(flag string) []string {
		if i := slices.Index(args, flag); i >= 0 {
			return strings.Split(args[i+1], ",")
		}
		return nil
	}
	found := false
	for _, j := range f.jobs() {
		if j.Hidden || !slices.Contains(asked("-j"), j.ID) && !slices.Contains(asked("-n"), j.Name) {
			continue
		}
		found = true
		for k, state := range j.States {
			fmt.Printf("%s|%d|%s|None|n1|%s\n", j.ID, k, state, j.Name)
		}
	}
	if !found && asked("-j") != nil {
		fmt.Fprintln(os.Stderr, "slurm_load_jobs error: Invalid job id specified")
		return 1
	}
	return 0
}

func (f fake) sacct(args []string) int {
	text := f.get("account")
	if text == "" {
		fmt.Fprintln(os.Stderr, "Slurm accounting storage is disabled")
		return 1
	}
	fmt.Print(text)
	return 0
}

func (f fake) scancel(args []string) int {
	for _, j := range f.jobs() {
		for k := range j.States {
			if slices.Contains(args, j.ID) && !ended[j.States[k]] {
				j.States[k] = "CANCELLED"
			}
		}
		f.save(j)
	}
	return 0
}

func (f fake) scontrol(args []string) int {
	if args[0] == "show" {
		text := f.get("config")
		if text == "" {
			text = "MaxArraySize            = 1001\n"
		}
		fmt.Print(text)
	}
	return 0
}
