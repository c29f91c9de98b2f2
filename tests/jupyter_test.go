package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/chestlab/chest/kernel/kernelspec"
)

// page is a notebook that is open in a browser.
type page struct {
	*testing.T
	ctx   context.Context
	shots string // where screenshots go
	n     int

	mu     sync.Mutex
	errors []string // see listen
}

// TestClassicNotebook uses chest as a person does in Jupyter's classic notebook:
// a real server, a real browser, keys that are pressed. Screenshots go to the
// folder CHEST_SHOTS, if it is set.
func TestClassicNotebook(t *testing.T) {
	p := openNotebook(t)
	p.typeKeys("x := 20 + 1\nx * 2")
	p.shiftEnter()
	p.until("the value of the first cell", p.output(0)+` === "42"`)

	p.typeCell("import \"strings\"")
	p.shiftEnter()
	p.until("the import has run", idle)
	p.typeCell("strings.ToUp")
	p.press(tab)
	p.until("completions", `$("#complete, .completions").text().includes("ToUpperSpecial")`)
	p.shot("completion")
	p.press(enter)
	p.until("the completion is taken", `Jupyter.notebook.get_cell(2).get_text() === "strings.ToUpper"`)
	p.press(tab, input.ModifierShift)
	p.until("documentation", `$("#tooltip").is(":visible") && $("#tooltip").text().includes("ToUpper returns")`)
	p.shot("documentation")
	p.press(escape)
	p.run(`Jupyter.notebook.get_cell(2).set_text("for {\n}")`)
	p.shiftEnter()
	p.until("the loop runs", `$("#kernel_indicator_icon").hasClass("kernel_busy_icon")`)
	p.press(escape)
	p.typeKeys("ii")
	p.until("the loop is interrupted", p.output(2)+`.includes("interrupted")`)
	p.until("the kernel is idle", idle)
	if got := p.cell("x"); got != "21" {
		t.Errorf("x is %q after the interrupt", got)
	}

	p.run(add + `c.set_text("import \"time\"\nbar := &display.Progress{}\nbar.Start(20, \"working\")\nfor i := 1; i <= 20; i++ {\n\ttime.Sleep(100 * time.Millisecond)\n\tbar.Set(i, \"step\")\n}\nbar.Finish(\"done\")"); c.execute()`)
	seen := map[string]bool{}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(150 * time.Millisecond) {
		text := p.text(last + `.output_area.element.text()`)
		seen[text] = true
		if strings.Contains(text, "done") {
			break
		}
		if len(seen) == 4 {
			p.shot("progress")
		}
	}
	if len(seen) < 4 {
		t.Errorf("the progress bar showed only %d states: %v", len(seen), seen)
	}
	if got := p.cell("fmt.Println(x)\ny := x + nope"); !strings.Contains(got, "undefined: nope") || !strings.Contains(got, "^") || strings.Contains(got, "21") {
		t.Errorf("error cell: %q", got)
	}
	p.cell("type point struct{ X, Y int }\n[]point{{1, 2}, {3, 4}}")
	p.until("a table", last+`.output_area.element.find("table").length === 1`)
	p.cell("import \"image\"\nimage.NewGray(image.Rect(0, 0, 40, 40))")
	p.until("a picture", last+`.output_area.element.find("img").length === 1`)
	p.cell(`viz.Curve([]viz.Series{{Name: "loss", X: []float64{1, 2, 3}, Y: []float64{3, 2, 1}}}, viz.CurveOptions{Title: "loss"})`)
	p.until("an interactive curve or its picture", last+`.output_area.element.find("canvas, img").length > 0`)
	p.shot("outputs")

	// A live curve: one chart is made, and each update sets its option.
	p.until("the chart library", `window.__chestviz && window.__chestviz.echarts`)
	p.run(`var w = window.__chestviz, init = w.echarts.init; w.inits = w.sets = 0;
w.echarts = Object.assign({}, w.echarts, {init: (...a) => { var c = init(...a), set = c.setOption.bind(c); w.inits++; c.setOption = (...o) => { w.sets++; return set(...o); }; return c; }})`)
	p.run(add + `c.set_text("live := viz.NewLive(viz.LiveOptions{Names: []string{\"loss\"}})\nfor i := 1; i <= 12; i++ {\n\tlive.Add(float64(i), 1/float64(i))\n\ttime.Sleep(300 * time.Millisecond)\n}\nlive.Done()\nfmt.Println(\"over\")"); c.execute()`)
	p.until("the live curve is over", last+`.output_area.element.text().includes("over") && `+idle)
	p.until("the last update", `window.__chestviz.sets > 3`)
	if inits, sets := p.text(`window.__chestviz.inits`), p.text(`window.__chestviz.sets`); inits != "1" {
		t.Errorf("a live curve made %s charts for %s updates, want one", inits, sets)
	}
	p.run(`Jupyter.notebook.save_checkpoint()`)
	p.until("the notebook is saved", `!Jupyter.notebook.dirty`)
}

// TestClassicPictures opens the notebook of all pictures in the classic notebook
// as somebody does who got it: not trusted, its pictures are images with alt
// texts. Then it is trusted, and every chart is interactive. The console stays
// without errors.
func TestClassicPictures(t *testing.T) {
	text, err := os.ReadFile("../notebooks/04_pictures.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	want, still, _ := charts(t, text)
	p := openJupyter(t, "pictures.ipynb", string(text))
	outputs := `$("#notebook .output_area")`
	loaded := `typeof Jupyter !== "undefined" && !!Jupyter.notebook && Jupyter.notebook._fully_loaded && `
	p.until("the outputs", loaded+outputs+`.find("img").length >= `+fmt.Sprint(still))
	if got := p.text(outputs + `.find("canvas").length`); got != "0" {
		t.Errorf("%s canvases in a notebook that is not trusted", got)
	}
	if got := p.text(outputs + `.find("img").filter((i, m) => !m.alt || !m.complete || m.naturalWidth === 0).length`); got != "0" {
		t.Errorf("%s images without alt text or without a picture", got)
	}
	p.keep("classic-untrusted")
	p.run(`Jupyter.notebook.get_cells().forEach(c => { if (c.cell_type === "code") c.output_area.trusted = true; }); Jupyter.notebook.save_notebook().then(() => { window.again = true; })`)
	p.until("it is saved as trusted", `window.again`)
	if err := chromedp.Run(p.ctx, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	p.until("every chart on a canvas", loaded+outputs+`.find("canvas").length >= `+fmt.Sprint(want))
	p.keep("classic-trusted")
	if all := p.complaints(); len(all) > 0 {
		t.Errorf("the console shows %q", all)
	}
}

// keep takes a picture of the outputs, to be looked at.
func (p *page) keep(name string) {
	var png []byte
	p.run(`$("#site, #notebook").css({height: "auto", overflow: "visible"}); $("body").css({position: "static", overflow: "visible"})`)
	if err := chromedp.Run(p.ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		p.Error(err)
		return
	}
	if err := os.WriteFile(shots(p.T, name+".png"), png, 0o644); err != nil {
		p.Error(err)
	}
}

const (
	idle = `$("#kernel_indicator_icon").hasClass("kernel_idle_icon")`
	last = `Jupyter.notebook.get_cells().slice(-1)[0]`
	add  = `var c = Jupyter.notebook.insert_cell_at_bottom("code"); `
)

// openNotebook starts a server with chest's kernelspec and opens a fresh
// notebook.
func openNotebook(t *testing.T) *page {
	t.Helper()
	p := openJupyter(t, "fresh.ipynb", `{"cells":[{"cell_type":"code","execution_count":null,"metadata":{},"outputs":[],"source":[]}],"metadata":{"kernelspec":{"display_name":"Go (chest)","language":"go","name":"chest"}},"nbformat":4,"nbformat_minor":4}`)
	p.connected()
	return p
}

// connected waits for the kernel, and puts the cursor into the first cell.
func (p *page) connected() {
	p.Helper()
	p.until("the kernel is connected", `typeof Jupyter !== "undefined" && !!Jupyter.notebook && !!Jupyter.notebook.kernel && Jupyter.notebook.kernel.is_connected() && `+idle)
	p.run(`Jupyter.notebook.get_cell(0).focus_cell()`)
	p.press(enter)
}

// openJupyter starts a server and opens a notebook of that name and text in the
// browser.
func openJupyter(t *testing.T, name, text string) *page {
	t.Helper()
	prefix, dir := t.TempDir(), t.TempDir()
	if r := chest(t, "", "install", "--prefix", prefix); r.code != 0 {
		t.Fatal(r.stderr)
	}
	writeFile(t, dir, name, text)
	address := serveJupyter(t, dir, "JUPYTER_PATH="+kernelspec.PrefixDir(prefix), "HOME="+t.TempDir())
	return browse(t, address+"/notebooks/"+name+"?token=chest")
}

// serveJupyter starts the classic notebook's server in a folder, with environment
// variables, and returns its address.
func serveJupyter(t *testing.T, dir string, env ...string) string {
	t.Helper()
	server := need(t, "jupyter-notebook", "/usr/bin/jupyter-notebook")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	log, err := os.Create(filepath.Join(t.TempDir(), "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(server, "--no-browser", "--allow-root", "--ip=127.0.0.1", fmt.Sprintf("--port=%d", port), "--port-retries=0", "--NotebookApp.token=chest", "--notebook-dir="+dir)
	cmd.Env = append(append(os.Environ(), env...), "JUPYTER_RUNTIME_DIR="+t.TempDir())
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		time.Sleep(100 * time.Millisecond)
		cmd.Process.Signal(os.Interrupt)
		time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("the server wrote:\n%.4000s", text)
		}
	})
	address := fmt.Sprintf("http://127.0.0.1:%d", port)
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if r, err := http.Get(address + "/api?token=chest"); err == nil {
			r.Body.Close()
			return address
		} else if time.Now().After(end) {
			t.Fatalf("the server does not answer: %v", err)
		}
	}
}

// browse opens a page in a browser of its own.
func browse(t *testing.T, url string) *page {
	t.Helper()
	browser := need(t, "chromium", "google-chrome", "chromium-browser")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1200, 1000), chromedp.UserDataDir(profile(t)))
	ctx, stop1 := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop2 := chromedp.NewContext(ctx)
	ctx, stop3 := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(func() { stop3(); stop2(); stop1() })
	p := &page{T: t, ctx: ctx, shots: os.Getenv("CHEST_SHOTS")}
	chromedp.ListenTarget(ctx, p.listen)
	if err := chromedp.Run(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	return p
}

// listen keeps errors that the page writes to the console or throws.
func (p *page) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			for _, a := range e.Args {
				p.errors = append(p.errors, string(a.Value)+a.Description)
			}
		}
	case *runtime.EventExceptionThrown:
		p.errors = append(p.errors, e.ExceptionDetails.Error())
	}
}

// complaints are the errors so far.
func (p *page) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.errors)
}

// run runs a script in the page.
func (p *page) run(script string) {
	p.Helper()
	if err := chromedp.Run(p.ctx, chromedp.Evaluate(script+";0", nil)); err != nil {
		p.fail("%s: %v", script, err)
	}
}

// text is the value of an expression of the page.
func (p *page) text(expression string) (s string) {
	p.Helper()
	if err := chromedp.Run(p.ctx, chromedp.Evaluate("String("+expression+")", &s)); err != nil {
		p.fail("%s: %v", expression, err)
	}
	return s
}

// until waits half a minute for a condition of the page.
func (p *page) until(what, condition string) {
	p.Helper()
	p.within(30*time.Second, what, condition)
}

func (p *page) within(limit time.Duration, what, condition string) {
	p.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var ok bool
		if err := chromedp.Run(p.ctx, chromedp.Evaluate("Boolean("+condition+")", &ok)); err == nil && ok {
			return
		}
	}
	p.fail("never came: %s", what)
}

// fail ends the test with a picture of what there was.
func (p *page) fail(format string, args ...any) {
	p.Helper()
	if p.shots == "" {
		p.shots = os.TempDir()
	}
	p.shot("failure")
	p.Fatalf(format+"\nthe cells: %s", append(args, p.state())...)
}

// state is the cells and their outputs as text.
func (p *page) state() (s string) {
	chromedp.Run(p.ctx, chromedp.Evaluate(`JSON.stringify(Jupyter.notebook.get_cells().map(c => [c.get_text(), c.output_area ? c.output_area.element.text() : ""]))`, &s))
	return s
}

// shot takes a picture, if there is a folder for it.
func (p *page) shot(name string) {
	if p.shots == "" {
		return
	}
	p.n++
	var png []byte
	if err := chromedp.Run(p.ctx, chromedp.FullScreenshot(&png, 100)); err == nil {
		file := filepath.Join(p.shots, fmt.Sprintf("chest-%02d-%s.png", p.n, name))
		if os.WriteFile(file, png, 0o644) == nil {
			p.Logf("picture: %s", file)
		}
	}
}

// key is a key that writes nothing by itself.
type key struct {
	name string
	code int64
}

var (
	enter  = key{"Enter", 13}
	tab    = key{"Tab", 9}
	escape = key{"Escape", 27}
)

// press presses a key, with others held down.
func (p *page) press(k key, held ...input.Modifier) {
	p.Helper()
	var all input.Modifier
	for _, m := range held {
		all |= m
	}
	for _, kind := range []input.KeyType{input.KeyRawDown, input.KeyUp} {
		event := input.DispatchKeyEvent(kind).WithKey(k.name).WithCode(k.name).WithWindowsVirtualKeyCode(k.code).WithModifiers(all)
		if err := chromedp.Run(p.ctx, event); err != nil {
			p.fail("key %s: %v", k.name, err)
		}
	}
}

// typeKeys types text into the cell that has the cursor.
func (p *page) typeKeys(text string) {
	p.Helper()
	for _, r := range text {
		if r == '\n' {
			p.press(enter)
		} else if err := chromedp.Run(p.ctx, chromedp.KeyEvent(string(r))); err != nil {
			p.fail("key %q: %v", r, err)
		}
	}
}

// typeCell types text into the next cell.
func (p *page) typeCell(text string) {
	p.until("the next cell", `Jupyter.notebook.mode === "command" || Jupyter.notebook.mode === "edit"`)
	p.press(escape)
	p.press(enter)
	p.typeKeys(text)
}

func (p *page) shiftEnter() { p.press(enter, input.ModifierShift) }

// output is the text of a cell's output, as an expression of the page.
func (p *page) output(cell int) string {
	return fmt.Sprintf(`Jupyter.notebook.get_cell(%d).output_area.element.find(".output_subarea").text().trim()`, cell)
}

// cell runs a cell at the end of the notebook and returns the text of its
// output.
func (p *page) cell(code string) string {
	p.Helper()
	quoted, err := json.Marshal(code)
	if err != nil {
		p.Fatal(err)
	}
	p.run(add + `c.set_text(` + string(quoted) + `); window.chestDone = false; c.events.one("finished_execute.CodeCell", () => window.chestDone = true); c.execute(false)`)
	p.until("the end of "+code, `window.chestDone`)
	return strings.TrimSpace(p.text(last + `.output_area.element.find(".output_subarea").text()`))
}
