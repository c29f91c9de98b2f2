//go:build unix

package tests

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestFresh does what a newcomer does, on a machine on which nothing was ever done: a
// pristine Debian with Go, git and make, as an ordinary user. The commands are those of
// README.md, letter by letter, on the last commit; git alone is told to find the
// repository here.
//
// It takes minutes and is not part of make test: make fresh runs it. With
// CHEST_FRESH=full it also runs the README's test command, as root, because that
// installs packages; most of an hour.
func TestFresh(t *testing.T) {
	full := os.Getenv("CHEST_FRESH") == "full"
	if !full && os.Getenv("CHEST_FRESH") != "1" {
		t.Skip("SKIPPED: a fresh machine: run make fresh")
	}
	m := newMachine(t)
	m.publish(t)
	m.as = "new"
	m.takes(t, "clone", 2*time.Minute, "git clone --quiet https://github.com/chestlab/chest")
	m.takes(t, "run", 20*time.Minute, "cd chest && "+readmeCommand(t, `make run`))
	for _, name := range []string{"01_quickstart.ipynb", "01_quickstart.html"} {
		if s, err := os.Stat(filepath.Join(m.dir, "machine/home/new/chest/out", name)); err != nil || s.Size() < 100_000 {
			t.Errorf("out/%s: %v, %v", name, s, err)
		}
	}
	install, register := readmeCommand(t, `go install .*`), readmeCommand(t, `chest install\b.*`)
	m.takes(t, "install", 10*time.Minute, install+"\n"+register)
	out := m.takes(t, "after it", time.Minute, "chest --version; ls ~/.local/share/jupyter/kernels/chest; echo '6 * 7' | chest exec -")
	t.Log(out)
	for _, want := range []string{"kernel.json", "42"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s after the installation:\n%s", want, out)
		}
	}
	if full {
		m.as = "root"
		m.takes(t, "test", 3*time.Hour, "git config --global safe.directory '*'; cd /home/new/chest && "+readmeCommand(t, `make test`))
	}
}

// readmeCommand is the line of a shell block of README.md that the pattern begins.
func readmeCommand(t *testing.T, pattern string) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if line := regexp.MustCompile(`(?m)^` + pattern + `.*$`).FindString(block[1]); line != "" {
			return line
		}
	}
	t.Fatalf("README.md has no command %s", pattern)
	return ""
}

// machine is a pristine Debian of tests/packaging/fresh.sh.
type machine struct {
	dir string
	as  string   // new or root
	env []string // further settings of fresh.sh
}

// newMachine makes one, which goes when the test ends.
func newMachine(t *testing.T) *machine {
	t.Helper()
	need(t, "mmdebstrap")
	need(t, "unshare")
	if os.Getuid() != 0 {
		missing(t, "only root can make a machine")
	}
	dir, err := os.MkdirTemp("", "chest-fresh-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { exec.Command("rm", "-rf", "--one-file-system", dir).Run() })
	return &machine{dir: dir, as: "new"}
}

// publish shows the last commit as the repository that is not published yet, with a
// version.
func (m *machine) publish(t *testing.T) {
	t.Helper()
	bare := filepath.Join(m.dir, "src.git")
	for _, args := range [][]string{
		{"clone", "--quiet", "--bare", "..", bare},
		{"-C", bare, "branch", "-f", "main", "HEAD"},
		{"-C", bare, "symbolic-ref", "HEAD", "refs/heads/main"},
		{"-C", bare, "tag", "-f", "v0.1.0", "main"},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	if out, err := exec.Command("git", "status", "--porcelain").Output(); err == nil && len(out) > 0 {
		t.Logf("what is not committed is not tried:\n%s", out)
	}
	m.env = append(m.env, "SRC="+bare)
	m.takes(t, "the machine", 10*time.Minute,
		`git config --global url."file:///srv/src.git".insteadOf https://github.com/chestlab/chest; git config --global safe.directory "*"`)
}

// command is a command on the machine. When it is killed, all that it started ends.
func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command("bash", append([]string{"packaging/fresh.sh", m.dir}, args...)...)
	cmd.Env = append(append(os.Environ(), m.env...), "AS="+m.as)
	return cmd
}

// takes runs a script on the machine, prints how long it took and how it ended, and
// returns what it printed. A failure ends the test.
func (m *machine) takes(t *testing.T, name string, limit time.Duration, script string) string {
	t.Helper()
	cmd := m.command("bash", "-ec", script)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if name == "test" {
		cmd.Stdout = io.MultiWriter(&out, os.Stdout)
	}
	began := time.Now()
	err := cmd.Start()
	if err == nil {
		stop := time.AfterFunc(limit, func() { cmd.Process.Kill() })
		defer stop.Stop()
		err = cmd.Wait()
	}
	t.Logf("%s: %s\n%s", name, time.Since(began).Round(time.Second), script)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out.String())
	}
	return out.String()
}
