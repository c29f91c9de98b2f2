package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chestlab/chest/internal/echarts"
)

// lab is the script of tests/lab, built once.
var lab struct {
	sync.Once
	script []byte
	why    string // what was missing
}

// labScript builds JupyterLab's renderer of outputs from its npm packages.
func labScript(t *testing.T) []byte {
	t.Helper()
	npm := need(t, "npm")
	lab.Do(func() {
		dir := t.TempDir()
		for _, name := range []string{"package.json", "package-lock.json", "page.js"} {
			b, err := os.ReadFile(filepath.Join("lab", name))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, dir, name, string(b))
		}
		for _, args := range [][]string{
			{npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"},
			{filepath.Join(dir, "node_modules/.bin/esbuild"), "page.js", "--bundle", "--outfile=lab.js", "--loader:.svg=text", "--loader:.css=empty", "--log-level=warning"},
		} {
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				lab.why = fmt.Sprintf("JupyterLab's renderer cannot be built: %s: %v\n%s", strings.Join(args[:2], " "), err, out)
				return
			}
		}
		lab.script, _ = os.ReadFile(filepath.Join(dir, "lab.js"))
	})
	if lab.why != "" {
		missing(t, lab.why)
	}
	return lab.script
}

// shots is where screenshots are kept to be looked at.
func shots(t *testing.T, name string) string {
	t.Helper()
	if err := os.MkdirAll("../out/shots", 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join("../out/shots", name)
}

// labPage serves a notebook in JupyterLab's renderer, with the base URL where
// JupyterLab has it, and the library where Jupyter serves it.
func labPage(t *testing.T, notebook []byte, trusted bool) *httptest.Server {
	t.Helper()
	script := labScript(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!DOCTYPE html><html><head><link rel="icon" href="data:,"></head><body>
<script id="jupyter-config-data" type="application/json">{"baseUrl": "/"}</script>
<script src="notebook.js"></script><script src="lab.js"></script></body></html>`)
	})
	mux.HandleFunc("/notebook.js", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "window.trusted = %v; window.notebook = %s;", trusted, notebook)
	})
	mux.HandleFunc("/lab.js", func(w http.ResponseWriter, _ *http.Request) { w.Write(script) })
	mux.HandleFunc("/kernelspecs/chest/"+echarts.FileName, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, echarts.Library) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// charts counts the interactive pictures of a notebook's outputs, those of them
// with a still picture (a chart of go-echarts has none), and the images that are
// nothing else: JupyterLab gives these no alt text.
func charts(t *testing.T, notebook []byte) (n, still, mute int) {
	t.Helper()
	var nb struct {
		Cells []struct {
			Outputs []struct {
				Data map[string]json.RawMessage `json:"data"`
			} `json:"outputs"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(notebook, &nb); err != nil {
		t.Fatal(err)
	}
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			if bytes.Contains(o.Data["text/html"], []byte("__chestviz")) {
				n++
				if o.Data["image/png"] != nil {
					still++
				}
			}
			if o.Data["image/png"] != nil && o.Data["text/html"] == nil {
				mute++
			}
		}
	}
	return n, still, mute
}

// TestLabRenderer draws the committed notebooks as JupyterLab does. Trusted, all
// charts are interactive; untrusted, as a notebook is that came from somebody
// else, their pictures are there, with alt texts. The console stays empty.
func TestLabRenderer(t *testing.T) {
	files, err := filepath.Glob("../notebooks/*.ipynb")
	if err != nil || len(files) == 0 {
		t.Fatal("no notebooks", err)
	}
	for _, file := range files {
		notebook, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, still, mute := charts(t, notebook)
		name := strings.TrimSuffix(filepath.Base(file), ".ipynb")
		for _, trusted := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/trusted=%v", name, trusted), func(t *testing.T) {
				url := labPage(t, notebook, trusted).URL
				r := chromium(t, url, "--dump-dom")
				quiet(t, r)
				if got := strings.Count(r.stdout, "<canvas"); trusted && got < want || !trusted && got > 0 {
					t.Errorf("%d canvases, the notebook has %d charts", got, want)
				}
				if n := strings.Count(r.stdout, "<section"); n == 0 {
					t.Error("no outputs were drawn")
				}
				images := regexp.MustCompile(`<img[^>]*>`).FindAllString(withoutScripts(r.stdout), -1)
				alone := 0
				for _, img := range images {
					if m := regexp.MustCompile(`alt="([^"]*)"`).FindStringSubmatch(img); m == nil || m[1] == "" {
						alone++
					}
				}
				if alone > mute {
					t.Errorf("%d pictures have no alt text; only %d outputs are bare images", alone, mute)
				}
				if !trusted && len(images) < still {
					t.Errorf("%d pictures, the notebook has %d charts with one", len(images), still)
				}
				shot := shots(t, fmt.Sprintf("lab-%s-trusted-%v.png", name, trusted))
				chromium(t, url, "--screenshot="+shot)
				if b, err := os.ReadFile(shot); err != nil {
					t.Error(err)
				} else if m, err := png.Decode(bytes.NewReader(b)); err != nil || want > 0 && colourful(m) < 2000 {
					t.Errorf("%s shows no picture: %v", shot, err)
				}
			})
		}
	}
}

// withoutScripts is a page less the texts of its scripts.
func withoutScripts(page string) string {
	return regexp.MustCompile(`(?s)<script.*?</script>`).ReplaceAllString(page, "")
}

// quiet fails for each line that the page wrote to the browser's console.
func quiet(t *testing.T, r result) {
	t.Helper()
	for _, line := range strings.Split(r.stderr, "\n") {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("browser console: %s", line)
		}
	}
}
