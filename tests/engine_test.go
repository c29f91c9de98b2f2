//go:build unix

package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// engine is a Docker engine.
type engine struct {
	client string
	env    []string
}

// startEngine starts a private engine with stand-ins for the images that the Dockerfiles
// begin with, or takes this machine's. Without one it says why.
func startEngine(t *testing.T) (e *engine, why string) {
	t.Helper()
	switch os.Getenv("CHEST_DOCKER") {
	case "none":
		return nil, "CHEST_DOCKER=none"
	case "installed":
		e = &engine{client: need(t, "docker"), env: append(os.Environ(), "DOCKER_BUILDKIT=1")}
		if r := runCommand(t, e.command("version"), ""); r.code != 0 {
			return nil, r.stderr
		}
		return e, ""
	}
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		return nil, "a private engine needs root and dockerd (CHEST_PACKAGING=1 sh tests/install.sh)"
	}
	need(t, "mmdebstrap")
	dir, err := os.MkdirTemp("", "chest-docker-") // short: the name of a socket has 107 letters at most
	if err != nil {
		t.Fatal(err)
	}
	// Debian's own client: others may want plugins for builds.
	e = &engine{client: "docker", env: append(os.Environ(), "DOCKER_BUILDKIT=1", "DOCKER_HOST=unix://"+dir+"/docker.sock", "PATH=/usr/bin:"+os.Getenv("PATH"), fmt.Sprintf("WATCH=%d", os.Getpid()))}
	if _, err := os.Stat("/usr/bin/docker"); err == nil {
		e.client = "/usr/bin/docker"
	}
	t.Cleanup(func() { e.script("down.sh", dir).Run() })
	if r := runCommand(t, e.script("up.sh", dir), ""); r.code != 0 {
		return nil, r.stderr
	}
	began := time.Now()
	if r := runCommand(t, e.script("bases.sh", filepath.Join(dir, "bases")), ""); r.code != 0 {
		t.Fatalf("making the stand-ins: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	t.Logf("stand-ins for debian:trixie-slim and golang:1.26-trixie: %s", time.Since(began).Round(time.Second))
	return e, ""
}

func (e *engine) script(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("bash", append([]string{"packaging/" + name}, args...)...)
	cmd.Env = e.env
	return cmd
}

// command is a command of the client.
func (e *engine) command(args ...string) *exec.Cmd {
	cmd := exec.Command(e.client, args...)
	cmd.Env = e.env
	return cmd
}

// docker runs a command of the client and returns what it printed.
func (e *engine) docker(t *testing.T, args ...string) string {
	t.Helper()
	r := runCommand(t, e.command(args...), "")
	if r.code != 0 {
		t.Fatalf("docker %s: exit %d\n%.4000s\n%.4000s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	if strings.Contains(r.stderr, "memory limit") { // the engine goes on without one
		t.Errorf("the limit of memory does not hold: %s", r.stderr)
	}
	return r.stdout
}

// build builds an image from a Dockerfile of the repository, in at most half an hour.
func (e *engine) build(t *testing.T, image, file string, args ...string) {
	t.Helper()
	began := time.Now()
	cmd := e.command(append(append([]string{"build", "--network", "host", "-f", "../" + file, "-t", image}, args...), "..")...)
	stop := time.AfterFunc(30*time.Minute, func() { cmd.Process.Kill() })
	defer stop.Stop()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", image, err, out[max(0, len(out)-6000):])
	}
	t.Logf("built %s: %s", image, time.Since(began).Round(time.Second))
}

// peak is the most memory that a container took, with the pages of files.
func (e *engine) peak(name string) string {
	out, _ := e.command("exec", name, "sh", "-c", "cat /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null").Output()
	return "peak of memory: " + megabytes(string(out))
}

// packagingOnDebian does by hand what binder/Dockerfile does, on a pristine Debian, and
// uses it as the image is used. It cannot see what is wrong with the Dockerfile itself.
func packagingOnDebian(t *testing.T) {
	m := newMachine(t)
	m.env = append(m.env, "ALSO="+buildChest(t))
	m.as = "root"
	m.takes(t, "the machine", 10*time.Minute, "true")
	inside := filepath.Join(m.dir, "machine")
	if out, err := exec.Command("cp", "-r", "../docker/lab.sh", "../notebooks", filepath.Join(inside, "srv")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m.takes(t, "JupyterLab and chest", 20*time.Minute, "sh /srv/lab.sh jovyan 1000\nchest install --prefix /usr/local\ncp -r /srv/notebooks /home/jovyan\nchown -R jovyan:jovyan /home/jovyan/notebooks")
	m.as = "jovyan"
	t.Run("notebook", func(t *testing.T) {
		apart := *m
		apart.env = append(apart.env, "NETWORK=none")
		checkNotebook(t, apart.takes(t, "the notebook", 10*time.Minute, notebookScript))
	})
	t.Run("binder", func(t *testing.T) {
		var server *exec.Cmd
		binder(t, "/user/chest/", func(_ string, command []string) *exec.Cmd {
			server = m.command(command...)
			return server
		}, func(string) { server.Process.Kill() }) // and with it all that it started
	})
}
