//go:build unix

package tests

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// TestDockerfiles checks that the two Dockerfiles are one up to the notebooks, by which
// the second image costs a moment.
func TestDockerfiles(t *testing.T) {
	var shared []string
	for _, name := range []string{"../binder/Dockerfile", "../docker/Dockerfile"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		part := regexp.MustCompile(`(?s)\nFROM golang.*\nCOPY --chown[^\n]* notebooks/[^\n]*\n`).FindString(string(text))
		if part == "" {
			t.Fatalf("%s: no such part", name)
		}
		shared = append(shared, part)
	}
	if shared[0] != shared[1] {
		t.Error("binder/Dockerfile and docker/Dockerfile differ before the notebooks")
	}
}

// TestPackaging builds the images and uses them: the one for Binder by BinderHub's
// command and in a browser, without network and within Binder's memory, the others as
// docker/README.md says.
//
// It takes minutes, and is not part of make test: make packaging runs it, with an engine
// of its own. CHEST_DOCKER=installed takes the engine of this machine, which fetches what
// the Dockerfiles begin with. Where no engine runs, or with CHEST_DOCKER=none, the same
// is installed on a pristine Debian instead.
func TestPackaging(t *testing.T) {
	if os.Getenv("CHEST_PACKAGING") != "1" {
		t.Skip("SKIPPED: building the images takes minutes: run make packaging")
	}
	need(t, "chromium", "google-chrome", "chromium-browser")
	e, why := startEngine(t)
	if e == nil {
		t.Logf("\n*** NO IMAGE IS BUILT: %s\n*** Instead the same is installed on a pristine Debian.", why)
		packagingOnDebian(t)
		return
	}
	images := []string{"chest-binder", "chest", "chest-cuda", "chest-worker"}
	e.build(t, images[0], "binder/Dockerfile", "--build-arg", "NB_USER=jovyan", "--build-arg", "NB_UID=1000")
	e.build(t, images[1], "docker/Dockerfile")
	e.build(t, images[2], "docker/Dockerfile", "--target", "cuda")
	e.build(t, images[3], "docker/Dockerfile", "--target", "worker")
	for _, image := range images {
		size, _ := strconv.ParseFloat(strings.TrimSpace(e.docker(t, "image", "inspect", "-f", "{{.Size}}", image)), 64)
		t.Logf("size of %s: %.0f MB", image, size/1e6)
	}
	t.Run("notebook", e.notebook)
	t.Run("binder", func(t *testing.T) {
		binder(t, "/user/chest/", func(port string, command []string) *exec.Cmd {
			return e.command(append([]string{"run", "--rm", "--name", "binder" + port, "--network", "host", "--memory", "1g", "--memory-swap", "1g", "chest-binder"}, command...)...)
		}, func(port string) { t.Log(e.peak("binder" + port)); e.command("kill", "binder"+port).Run() })
	})
	t.Run("lab", e.lab)
	t.Run("cuda", e.cuda)
	t.Run("worker", e.worker)
}

// notebook runs the first notebook as Binder's user, without network, within a gigabyte
// and without swap.
func (e *engine) notebook(t *testing.T) {
	began := time.Now()
	out := e.docker(t, "run", "--rm", "--network", "none", "--memory", "1g", "--memory-swap", "1g", "chest-binder", "sh", "-ec", notebookScript)
	t.Logf("the notebook and Jupyter's start: %s, peak of memory %s", time.Since(began).Round(time.Second), megabytes(between(out, "peak:", "\n")))
	checkNotebook(t, out)
}

// notebookScript says who it is, which kernels there are and what the first notebook
// gives. The last line is the most memory that was taken, with the pages of files.
const notebookScript = `echo "user: $(id -u) $(id -un)"
ls /sys/class/net | xargs echo network:
jupyter kernelspec list --json | tr -d '\n '; echo
jupyter nbconvert --to notebook --execute --stdout notebooks/01_quickstart.ipynb >/tmp/done.ipynb
echo peak: $(cat /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null)
cat /tmp/done.ipynb`

// checkNotebook checks what notebookScript printed.
func checkNotebook(t *testing.T, out string) {
	t.Helper()
	if !strings.Contains(out, "user: 1000 jovyan\nnetwork: lo\n") {
		t.Errorf("not user 1000, or not without network: %.200s", out)
	}
	if !strings.Contains(out, `"display_name":"Go(chest)"`) {
		t.Errorf("the kernel is not listed: %.1000s", out)
	}
	file := writeFile(t, t.TempDir(), "done.ipynb", out[max(0, strings.Index(out, "\n{\n")):])
	nb := readSaved(t, file)
	if all := strings.Join(nb.texts(t), "\n"); !strings.Contains(all, "MAP@R") {
		t.Errorf("no table of retrieval:\n%.2000s", all)
	}
	for i, c := range nb.Cells {
		if c.Type == "code" && c.Count == 0 {
			t.Errorf("cell %d did not run", i+1)
		}
	}
	if n := nb.count("image/png", ""); n < 3 {
		t.Errorf("%d pictures, want 3", n)
	}
}

// binder starts a server by BinderHub's command, opens the first notebook in a browser
// at the address that the README's badge leads to, runs its first cells and one more that
// needs them.
func binder(t *testing.T, base string, start func(port string, command []string) *exec.Cmd, stop func(port string)) {
	port, token := freePort(t), "binder"
	log := filepath.Join(t.TempDir(), "server.log")
	cmd := start(port, binderCommand(port, base, token))
	cmd.Stdout, _ = os.Create(log)
	cmd.Stderr = cmd.Stdout
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop(port)
		time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		if text, err := os.ReadFile(log); err == nil && t.Failed() {
			t.Logf("the server wrote:\n%.4000s", text)
		}
	})
	address := "http://127.0.0.1:" + port + base
	text := answers(t, address+"api/kernelspecs?token="+token)
	t.Logf("the server answers after %s", time.Since(began).Round(time.Second))
	if !strings.Contains(text, `"chest"`) {
		t.Errorf("the kernel is not listed: %s", text)
	}
	p := browse(t, address+"lab/tree/notebooks/01_quickstart.ipynb?token="+token)
	p.within(2*time.Minute, "the notebook with an idle kernel", `document.querySelector(".jp-Notebook .jp-CodeCell .cm-content") && !document.querySelector(".jp-Spinner")
&& document.querySelector('.jp-Notebook-ExecutionIndicator[data-status="idle"]') && document.querySelector(".jp-Toolbar-kernelName").textContent.includes("Go (chest)")`)
	p.picture("binder-opened")
	if err := chromedp.Run(p.ctx, chromedp.Click(".jp-Notebook .jp-CodeCell .cm-content", chromedp.ByQuery)); err != nil {
		t.Fatal(err)
	}
	p.shiftEnter()
	p.press(escape)
	p.typeKeys("a")
	p.until("a new cell", `document.querySelector(".jp-Notebook .jp-CodeCell.jp-mod-active .cm-content").textContent === ""`)
	p.press(enter)
	p.typeKeys("epochs * 3")
	p.press(enter, input.ModifierCtrl) // stays there: Lab takes cells away that are out of sight
	p.within(time.Minute, "the value of a cell", `[...document.querySelectorAll(".jp-Notebook .jp-OutputArea-output")].some(o => o.textContent.trim() === "42")`)
	p.picture("binder-first-cell")
	t.Logf("and the first cells have run after %s", time.Since(began).Round(time.Second))
}

// picture keeps a picture of the page, to be looked at.
func (p *page) picture(name string) {
	p.Helper()
	var png []byte
	if err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(shots(p.T, name+".png"), png, 0o644); err != nil {
		p.Fatal(err)
	}
}

// binderCommand does what BinderHub does to start an image: Python looks for JupyterLab,
// else takes the classic notebook, and hands on the settings of the session, in the old
// names and the new.
func binderCommand(port, base, token string) []string {
	const start = `import os, sys
try:
    import jupyterlab.labapp
    lab = int(jupyterlab.__version__.split(".")[0]) >= 3
except Exception:
    lab = False
os.execvp("jupyter-lab" if lab else "jupyter-notebook", sys.argv)`
	command := []string{"python3", "-c", start, "--ip=127.0.0.1", "--port=" + port}
	for _, app := range []string{"NotebookApp", "ServerApp"} {
		for _, setting := range []string{"base_url=" + base, "token=" + token, "trust_xheaders=True", "allow_origin=*", "allow_origin_pat=.*"} {
			command = append(command, "--"+app+"."+setting)
		}
	}
	return command
}

// answers waits until a server gives a page, and returns it.
func answers(t *testing.T, url string) string {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		r, err := http.Get(url)
		if err != nil {
			continue
		}
		var b strings.Builder
		r.Write(&b)
		r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return b.String()
		}
	}
	t.Fatalf("%s does not answer", url)
	return ""
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func megabytes(bytes string) string {
	n, err := strconv.ParseFloat(strings.TrimSpace(bytes), 64)
	if err != nil {
		return "NOT MEASURED: the engine has no control group of memory"
	}
	return fmt.Sprintf("%.0f MB", n/1e6)
}

// lab starts the image for own machines: its health, its first process, its volumes.
func (e *engine) lab(t *testing.T) {
	port := freePort(t)
	defer e.command("volume", "rm", "-f", "data"+port, "runs"+port).Run()
	defer e.command("rm", "-f", "lab"+port).Run()
	e.docker(t, "run", "-d", "--name", "lab"+port, "--network", "host", "--health-interval", "1s", "-v", "data"+port+":/data", "-v", "runs"+port+":/home/jovyan/runs", "chest")
	health := ""
	for end := time.Now().Add(time.Minute); health != "healthy" && time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		health = strings.TrimSpace(e.docker(t, "inspect", "-f", "{{.State.Health.Status}}", "lab"+port))
	}
	if health != "healthy" {
		t.Errorf("health: %s\n%s", health, e.docker(t, "logs", "lab"+port))
	}
	out := e.docker(t, "exec", "lab"+port, "sh", "-c", "id -u; cat /proc/1/comm; touch /data/a runs/b && echo $CHEST_DATA")
	if out != "1000\ntini\n/data\n" {
		t.Errorf("in the container: %q", out)
	}
	began := time.Now()
	e.docker(t, "stop", "lab"+port)
	t.Logf("stopped in %s", time.Since(began).Round(time.Second/10))
	out = e.docker(t, "run", "--rm", "--network", "none", "-v", "data"+port+":/data", "-v", "runs"+port+":/home/jovyan/runs", "chest", "sh", "-c", "ls /data runs; cat /proc/1/comm")
	if !strings.Contains(out, "a\n") || !strings.Contains(out, "b\n") {
		t.Errorf("the next container finds %q", out)
	}
}

// cuda mounts a driver where NVIDIA's runtime mounts it, and the doctor finds it.
func (e *engine) cuda(t *testing.T) {
	env := e.docker(t, "run", "--rm", "--network", "none", "chest-cuda", "env")
	for _, want := range []string{"NVIDIA_VISIBLE_DEVICES=all\n", "NVIDIA_DRIVER_CAPABILITIES=compute,utility\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("no %s in\n%s", want, env)
		}
	}
	driver, err := fakecuda.Path(kernels.Sources)
	if err != nil {
		missing(t, err.Error())
	}
	lib := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH] + "-linux-gnu"
	for _, image := range []string{"chest-cuda", "chest-worker"} {
		args := []string{"run", "--rm", "--network", "none", "--entrypoint", "chest"}
		if r := runCommand(t, e.command(append(args, image, "doctor", "--device", "cuda")...), ""); r.code != 1 || !strings.Contains(r.stderr, "No NVIDIA driver found.") {
			t.Errorf("%s without a driver: exit %d\n%s%s", image, r.code, r.stdout, r.stderr)
		}
		args = append(args, "-v", driver+":/usr/lib/"+lib+"/libcuda.so.1:ro", image, "doctor", "--device", "cuda")
		if r := runCommand(t, e.command(args...), ""); r.code != 0 || !strings.Contains(r.stdout, "GPU training is available") {
			t.Errorf("%s with a driver: exit %d\n%s%s", image, r.code, r.stdout, r.stderr)
		}
	}
}

// worker does runs of a plan in a shared folder, and one of them once more by itself.
func (e *engine) worker(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "plan.yaml", strings.Replace(slurmPlan, "Epochs: 5", "Epochs: 1", 1))
	args := []string{"run", "--rm", "--network", "none", "--user", fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()), "-v", dir + ":/work", "chest-worker"}
	e.docker(t, append(args, "sweep", "plan.yaml")...)
	want := records(t, filepath.Join(dir, "runs"))
	if len(want) != 4 {
		t.Fatalf("%d records, want 4", len(want))
	}
	for id := range want {
		if err := os.Remove(filepath.Join(dir, "runs", id, "record.json")); err != nil {
			t.Fatal(err)
		}
		e.docker(t, append(args, "trial", "--dir", "runs", id)...)
		break
	}
	if got := records(t, filepath.Join(dir, "runs")); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("chest trial found %v, the sweep %v", got, want)
	}
	if out := e.docker(t, "run", "--rm", "--network", "none", "--entrypoint", "bash", "chest-worker", "-c", "id -u"); out != "1000\n" {
		t.Errorf("user %q", out)
	}
}
