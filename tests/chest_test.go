package tests

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var program struct {
	sync.Once
	path string
	err  error
	dir  string
}

// TestMain removes what buildChest made.
func TestMain(m *testing.M) {
	code := m.Run()
	if program.dir != "" {
		os.RemoveAll(program.dir)
	}
	os.Exit(code)
}

// buildChest builds the program once and returns its path.
func buildChest(t *testing.T) string {
	t.Helper()
	program.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "chest-tests-"); program.err != nil {
			return
		}
		program.path = filepath.Join(program.dir, "chest")
		out, err := exec.Command("go", "build", "-o", program.path, "../cmd/chest").CombinedOutput()
		if err != nil {
			program.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if program.err != nil {
		t.Fatal("building chest:", program.err)
	}
	return program.path
}

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// chest runs the program with standard input and arguments.
func chest(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	cmd := exec.Command(buildChest(t), args...)
	return runCommand(t, cmd, stdin)
}

// runCommand runs cmd to its end, at most ten minutes.
func runCommand(t *testing.T, cmd *exec.Cmd, stdin string) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(10*time.Minute, func() { cmd.Process.Kill() })
	defer stop.Stop()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// need returns the path of an external tool. Without it the test is skipped,
// or fails when CHEST_FULL=1 says that everything must run.
func need(t *testing.T, names ...string) string {
	t.Helper()
	for _, n := range names {
		if p, err := exec.LookPath(n); err == nil {
			return p
		}
	}
	missing(t, strings.Join(names, " or ")+" is not installed (sh tests/install.sh)")
	return ""
}

// missing skips the test, or fails it when CHEST_FULL=1.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CHEST_FULL") == "1" {
		t.Fatal("CHEST_FULL=1:", what)
	}
	t.Skip("SKIPPED:", what)
}

// writeFile writes a file for a test and returns its path.
func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}
