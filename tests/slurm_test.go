//go:build unix

package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSlurm runs a plan on a private cluster of two nodes while nodes, the
// controller, trials and the sweep itself are killed: every run is there once, with
// the bits of a sweep on one machine that nobody disturbed.
//
// It takes two minutes and is not part of make test: make slurm runs it. What the
// package does with Slurm's words is tested there with a fake.
func TestSlurm(t *testing.T) {
	if os.Getenv("CHEST_SLURM") != "1" {
		t.Skip("SKIPPED: a private Slurm cluster: run make slurm")
	}
	for _, name := range []string{"sbatch", "slurmctld", "slurmd", "munged", "unshare"} {
		need(t, name)
	}
	if os.Getuid() != 0 {
		missing(t, "only root can give a node processes of its own, and so kill it")
	}
	chest := buildChest(t)
	c := startCluster(t)
	plan := writeFile(t, t.TempDir(), "plan.yaml", slurmPlan)
	calm := t.TempDir()
	if r := runCommand(t, exec.Command(chest, "sweep", plan, "--dir", calm, "--jobs", "2"), ""); r.code != 0 {
		t.Fatal(r.stderr)
	}
	want := records(t, calm)
	if len(want) != 4 {
		t.Fatalf("%d records of the undisturbed sweep, want 4", len(want))
	}
	check := func(t *testing.T, s *slurmSweep) {
		t.Helper()
		s.t = t
		s.ends(0)
		if got := records(t, s.dir); !reflect.DeepEqual(got, want) {
			t.Errorf("records\n%v\nof the undisturbed sweep\n%v\nstderr of the sweep: %s", got, want, s.stderr.String())
		}
	}
	// The first two take a minute by themselves, and go on beside the others.
	// No warning of a limit comes to them: this signal goes to steps, and there are none.
	limited := c.sweep(t, chest, plan, t.TempDir(), "--slurm-flag=--time=1", "--slurm-flag=--signal=USR2@1", "--slurm-flag=--nodelist=n1")
	stood, pid := limited.training("n1")
	syscall.Kill(pid, syscall.SIGSTOP) // until the limit, which wakes it for its checkpoint
	died := c.sweep(t, chest, plan, t.TempDir())
	fell, _ := died.training("n2")
	time.Sleep(5 * time.Second) // a controller that dies sooner may forget a job; that is tested by fakes
	c.kill(t, "run/n2.ns")
	c.kill(t, "run/slurmctld.pid")
	time.Sleep(time.Second)
	c.command(t, "slurmctld")

	t.Run("a trial is killed and a task is warned", func(t *testing.T) {
		s := c.sweep(t, chest, plan, t.TempDir(), "--slurm-flag=--nodelist=n1", "--throttle=1", "--per-task=2")
		id, pid := s.training("n1")
		syscall.Kill(pid, syscall.SIGKILL)
		s.until("another run's checkpoint", func() bool { now, _ := s.trainingNow("n1"); return now != "" && now != id })
		c.command(t, "scancel", "--signal=USR1", "--batch", s.job()+"_0")
		check(t, s)
		if n := s.attempts(id); n < 2 {
			t.Errorf("the run was begun %d times, want 2", n)
		}
		if !strings.Contains(s.logs(), "goes back to the queue, the 1. time") {
			t.Errorf("the task did not put itself back:\n%s\n%s", s.logs(), s.stderr.String())
		}
	})
	t.Run("it is cancelled and goes on", func(t *testing.T) {
		dir := t.TempDir()
		s := c.sweep(t, chest, plan, dir, "--slurm-flag=--nodelist=n1")
		id, _ := s.training("n1")
		s.cmd.Process.Signal(os.Interrupt)
		s.ends(130)
		if left := c.command(t, "squeue", "-h", "-o", "%j", "-n", s.name()+"-0"); left != "" {
			t.Errorf("jobs are left: %q", left)
		}
		if _, err := os.Stat(filepath.Join(dir, id, "end")); err != nil {
			t.Errorf("run %s did not stop in good order: %v\n%s", id, err, s.stderr.String())
		}
		check(t, c.sweep(t, chest, plan, dir, "--slurm-flag=--nodelist=n1"))
	})
	t.Run("the sweep is killed", func(t *testing.T) {
		dir := t.TempDir()
		first := c.sweep(t, chest, plan, dir, "--detach", "--slurm-flag=--nodelist=n1")
		first.ends(0)
		second := c.sweep(t, chest, plan, dir)
		id, _ := second.training("n1")
		second.cmd.Process.Kill()
		second.ends(-1)
		third := c.sweep(t, chest, plan, dir)
		check(t, third)
		if n := third.attempts(id); n != 1 {
			t.Errorf("run %s was begun %d times, want 1", id, n)
		}
		third.until("the table of the job that gathers", func() bool {
			text, _ := os.ReadFile(filepath.Join(dir, "slurm", third.name(), "table.txt"))
			return strings.Contains(string(text), "MAP@R")
		})
	})
	t.Run("a node and the controller died", func(t *testing.T) {
		check(t, died)
		if n := died.attempts(fell); n != 2 {
			t.Errorf("run %s was begun %d times, want 2", fell, n)
		}
		if out := c.command(t, "sinfo", "-h", "-N", "-o", "%N %T"); !strings.Contains(out, "n2 down") {
			t.Errorf("the node is not down: %s", out)
		}
	})
	t.Run("a job ran into its time limit", func(t *testing.T) {
		check(t, limited)
		if n := limited.attempts(stood); n != 2 {
			t.Errorf("run %s was begun %d times, want 2\n%s", stood, n, limited.stderr.String())
		}
		c.saw(t, limited, "TIMEOUT")
	})
}

// cluster is a private Slurm.
type cluster struct {
	dir string
	env []string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "chest-slurm-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{dir, append(os.Environ(), "SLURM_CONF="+filepath.Join(dir, "etc/slurm.conf"))}
	t.Cleanup(func() {
		if out, err := exec.Command("bash", "slurm/down.sh", dir).CombinedOutput(); err != nil {
			t.Errorf("down.sh: %v\n%s", err, out)
		}
		if t.Failed() {
			log, _ := exec.Command("tail", "-n", "40", filepath.Join(dir, "log/slurmctld.log")).Output()
			t.Logf("the controller's log:\n%s", log)
		}
		os.RemoveAll(dir)
	})
	up := exec.Command("bash", "slurm/up.sh", dir, "2", "8")
	up.Env = append(os.Environ(), "SLURMD_TIMEOUT=10", "WATCH="+strconv.Itoa(os.Getpid()))
	if out, err := up.CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("a private Slurm does not start here: %v\n%s", err, out))
	}
	return c
}

// command runs a command of Slurm; the controller may be away for a moment.
func (c *cluster) command(t *testing.T, name string, args ...string) string {
	t.Helper()
	var out []byte
	var err error
	for range 20 {
		cmd := exec.Command(name, args...)
		cmd.Env = c.env
		if out, err = cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "contact slurm controller") {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// kill kills the process of a file.
func (c *cluster) kill(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 2 {
		t.Fatalf("%s: %q", file, text)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// saw checks that Slurm knows a task of the sweep's first job in a state.
func (c *cluster) saw(t *testing.T, s *slurmSweep, state string) {
	t.Helper()
	if out := c.command(t, "squeue", "-h", "-r", "-t", "all", "-n", strings.Join(s.names(), ","), "-o", "%T"); !strings.Contains(out, state) {
		t.Errorf("no task was in state %s: %q", state, out)
	}
}

// slurmSweep is a chest sweep on a cluster.
type slurmSweep struct {
	t      *testing.T
	dir    string
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

func (c *cluster) sweep(t *testing.T, chest, plan, dir string, flags ...string) *slurmSweep {
	t.Helper()
	s := &slurmSweep{t: t, dir: dir}
	s.cmd = exec.Command(chest, append([]string{"sweep", plan, "--dir", dir, "--engine", "slurm", "--poll", "500ms", "--settle", "3s"}, flags...)...)
	s.cmd.Env, s.cmd.Stderr = c.env, &s.stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() })
	return s
}

// ends waits for the sweep's end.
func (s *slurmSweep) ends(code int) {
	s.t.Helper()
	stop := time.AfterFunc(3*time.Minute, func() { s.cmd.Process.Kill() })
	defer stop.Stop()
	s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Fatalf("the sweep's exit code is %d, want %d\n%s\n%s", got, code, s.stderr.String(), s.logs())
	}
}

// until waits for what comes by itself.
func (s *slurmSweep) until(what string, there func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !there(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("no %s in two minutes\n%s", what, s.logs())
		}
	}
}

// training waits for a run on a node that has a checkpoint, and returns its process.
func (s *slurmSweep) training(node string) (id string, pid int) {
	s.t.Helper()
	s.until("run with a checkpoint on "+node, func() bool { id, pid = s.trainingNow(node); return id != "" })
	return id, pid
}

func (s *slurmSweep) trainingNow(node string) (id string, pid int) {
	all, _ := filepath.Glob(filepath.Join(s.dir, "*", "checkpoint"))
	for _, path := range all {
		id := filepath.Base(filepath.Dir(path))
		pid := processOf(s.dir, id)
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if pid != 0 && strings.Contains(string(env), "\x00SLURMD_NODENAME="+node+"\x00") {
			return id, pid
		}
	}
	return "", 0
}

// processOf finds the process of a run by its command line: its own number is one
// of its node's.
func processOf(dir, id string) int {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		line, err := os.ReadFile(path)
		if err == nil && strings.HasSuffix(string(line), "\x00trial\x00--dir\x00"+dir+"\x00"+id+"\x00") {
			pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
			return pid
		}
	}
	return 0
}

// names are the names of the sweep's jobs.
func (s *slurmSweep) names() (names []string) {
	all, _ := filepath.Glob(filepath.Join(s.dir, "slurm", "chest-*"))
	for _, b := range all {
		names = append(names, filepath.Base(b)+"-0")
	}
	return names
}

// name is that of the sweep's one submission.
func (s *slurmSweep) name() string {
	s.t.Helper()
	names := s.names()
	if len(names) != 1 {
		s.t.Fatalf("%d submissions, want 1: %v\n%s", len(names), names, s.stderr.String())
	}
	return strings.TrimSuffix(names[0], "-0")
}

// job is the id of the sweep's one job.
func (s *slurmSweep) job() string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "slurm", s.name(), "jobs.json"))
	var b struct{ Parts []struct{ Job string } }
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if err != nil || len(b.Parts) != 1 || b.Parts[0].Job == "" {
		s.t.Fatalf("jobs.json: %v\n%s", err, text)
	}
	return b.Parts[0].Job
}

func (s *slurmSweep) attempts(id string) int {
	text, _ := os.ReadFile(filepath.Join(s.dir, id, "attempts"))
	return strings.Count(string(text), "\n")
}

// logs are those of the jobs.
func (s *slurmSweep) logs() string {
	var text strings.Builder
	all, _ := filepath.Glob(filepath.Join(s.dir, "slurm", "*", "*.log"))
	for _, path := range all {
		log, _ := os.ReadFile(path)
		fmt.Fprintf(&text, "%s:\n%s", path, log)
	}
	return text.String()
}

// records are what the runs of a folder found, by their IDs, without times.
func records(t *testing.T, dir string) map[string]any {
	t.Helper()
	all, _ := filepath.Glob(filepath.Join(dir, "*", "record.json"))
	found := map[string]any{}
	for _, path := range all {
		text, err := os.ReadFile(path)
		var r map[string]any
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, gone := range []string{"Made", "Seconds"} {
			delete(r, gone)
		}
		history, _ := r["History"].([]any)
		for _, e := range history {
			delete(e.(map[string]any), "Seconds")
		}
		found[filepath.Base(filepath.Dir(path))] = r
	}
	return found
}
