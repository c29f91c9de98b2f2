package tests

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// newcomerCells are what somebody types who has a folder of pictures.
var newcomerCells = []string{
	`ctx := display.Context()
own, err := datasets.Folder(ctx, "shapes")
chestlib.Check(err)
own`,
	`train, err := datasets.Images(own.Train, datasets.ImageOptions{})
chestlib.Check(err)
test, err := datasets.Images(own.Query, datasets.ImageOptions{})
chestlib.Check(err)
train`,
	`m, err := chestlib.NewModel(train, chestlib.ModelOptions{Trunk: "conv", Width: 8, DE: 8, DH: 8})
chestlib.Check(err)
tr, err := chestlib.NewTrainer(m, train, chestlib.TrainOptions{Epochs: 10, PerClass: 4, Rate: 4e-3})
chestlib.Check(err)
history, err := tr.Fit(ctx)
chestlib.Check(err)
scores, err := chestlib.Evaluate(ctx, m, test)
chestlib.Check(err)
scores`,
	`loss := viz.Series{Name: "loss"}
for _, e := range history { loss.X, loss.Y = append(loss.X, float64(e.Number)), append(loss.Y, e.Loss.Total) }
viz.Curve([]viz.Series{loss}, viz.CurveOptions{Title: "Training", X: "epoch", Left: "loss"})`,
	`e, err := chestlib.Embed(ctx, m, test)
chestlib.Check(err)
xy, quality, err := chestlib.TangentPCA(ctx, e, nil)
chestlib.Check(err)
o := viz.DiskOptions{Title: "Shapes never seen", Note: quality.String()}
o.Curvature, o.Classes = e.Curvature, test.Classes
viz.Disk(xy, e.Label, o)`,
}

// TestNewcomer goes the way of somebody who has just built the program: install,
// check, a new notebook from Jupyter's menu, own pictures, training, a curve and a
// disk, and a page to send to somebody.
func TestNewcomer(t *testing.T) {
	home, work := t.TempDir(), t.TempDir()
	program := copyProgram(t, filepath.Join(home, "go", "bin"))
	drawShapes(t, filepath.Join(work, "shapes"))
	if r := chestAt(t, program, home, "install"); r.code != 0 {
		t.Fatalf("install: exit %d\n%s", r.code, r.stderr)
	}
	if r := chestAt(t, program, home, "install", "--check"); r.code != 0 || !strings.Contains(r.stdout, "Jupyter Notebook   yes") {
		missing(t, "no front end here finds the kernel:\n"+r.stdout+r.stderr)
	}
	address := serveJupyter(t, work, "HOME="+home, "JUPYTER_PATH=", "JUPYTER_DATA_DIR=", "XDG_DATA_HOME=")
	p := browse(t, address+"/tree?token=chest").newFromMenu("Go (chest)")
	p.connected()
	for i, cell := range newcomerCells {
		p.typeCell(cell)
		p.shiftEnter()
		p.until("the end of "+cell, fmt.Sprintf(`Jupyter.notebook.get_cell(%d).input_prompt_number > 0 && `, i)+idle)
		if errs := p.text(fmt.Sprintf(`Jupyter.notebook.get_cell(%d).output_area.outputs.filter(o => o.output_type === "error").map(o => o.evalue)`, i)); errs != "" {
			t.Fatalf("cell %d: %s", i+1, errs)
		}
	}
	for cell, what := range map[int]string{1: "img", 3: "canvas", 4: "canvas"} {
		p.until("a picture below cell "+fmt.Sprint(cell+1), fmt.Sprintf(`Jupyter.notebook.get_cell(%d).output_area.element.find(%q).length > 0`, cell, what))
	}
	p.run(`Jupyter.notebook.save_checkpoint()`)
	p.until("the notebook is saved", `!Jupyter.notebook.dirty`)
	p.keep("newcomer-notebook") // makes the page as long as it is
	p.run(`window.dispatchEvent(new Event("resize"))`)
	p.keep("newcomer-notebook")
	if all := p.complaints(); len(all) > 0 {
		t.Errorf("the console shows %q", all)
	}
	exportShapes(t, program, home, filepath.Join(work, "Untitled.ipynb"))
}

// newFromMenu makes a notebook by the menu New of Jupyter's list of files and
// returns its window.
func (p *page) newFromMenu(kernel string) *page {
	p.Helper()
	entry := fmt.Sprintf(`$("#new-menu a").filter((i, a) => a.textContent.trim() === %q)`, kernel)
	p.until("the menu New", `typeof $ !== "undefined" && `+entry+`.length === 1`)
	p.run(`$("#new-dropdown-button").click()`)
	opened := chromedp.WaitNewTarget(p.ctx, func(i *target.Info) bool { return strings.Contains(i.URL, "/notebooks/") })
	p.run(entry + `[0].click()`)
	select {
	case id := <-opened:
		ctx, stop := chromedp.NewContext(p.ctx, chromedp.WithTargetID(id))
		p.Cleanup(stop)
		q := &page{T: p.T, ctx: ctx, shots: p.shots}
		chromedp.ListenTarget(ctx, q.listen)
		if err := chromedp.Run(ctx); err != nil {
			p.Fatal(err)
		}
		return q
	case <-time.After(30 * time.Second):
		p.Fatal("no window was opened by New > ", kernel)
	case <-p.ctx.Done():
		p.Fatal(context.Cause(p.ctx))
	}
	return nil
}

// exportShapes exports the notebook by the command, and opens the page without
// network: its pictures are in it.
func exportShapes(t *testing.T, program, home, notebook string) {
	t.Helper()
	r := chestAt(t, program, home, "export", notebook)
	page := strings.TrimSuffix(notebook, ".ipynb") + ".html"
	if r.code != 0 {
		t.Fatalf("export: exit %d\n%s", r.code, r.stderr)
	}
	if n := strings.Count(read(t, page), `src="data:image/png;base64,`); n < 3 {
		t.Errorf("%d images in the page; want a contact sheet, a curve and a disk", n)
	}
	opened := chromium(t, page, "--dump-dom")
	quiet(t, opened)
	if n := strings.Count(opened.stdout, "<canvas"); n < 2 {
		t.Errorf("%d canvases in the page; want a curve and a disk", n)
	}
	shot := shots(t, "newcomer-export.png")
	chromium(t, page, "--window-size=1000,2200", "--screenshot="+shot)
	if n := colourful(readPNG(t, shot)); n < 2000 {
		t.Errorf("%d coloured pixels in %s", n, shot)
	}
}

// drawShapes makes a folder with a folder of small pictures for each of six
// classes.
func drawShapes(t *testing.T, dir string) {
	t.Helper()
	inside := map[string]func(x, y int) bool{
		"cross":    func(x, y int) bool { return x*x < 9 || y*y < 9 },
		"disc":     func(x, y int) bool { return x*x+y*y < 80 },
		"ring":     func(x, y int) bool { return x*x+y*y < 100 && x*x+y*y > 40 },
		"square":   func(x, y int) bool { return max(x*x, y*y) < 64 },
		"stripe":   func(x, y int) bool { return y*y < 12 },
		"triangle": func(x, y int) bool { return y < 8 && y > 2*max(x, -x)-9 },
	}
	for class, in := range inside {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			m := image.NewRGBA(image.Rect(0, 0, 28, 28))
			for y := range 28 {
				for x := range 28 {
					m.Set(x, y, color.RGBA{235, 230, uint8(200 + (7*x+13*y+i)%50), 255})
					if in(x-14+i%3-1, y-14+i/3-1) {
						m.Set(x, y, color.RGBA{uint8(40 * (i % 4)), 70, uint8(120 + 15*i), 255})
					}
				}
			}
			f, err := os.Create(filepath.Join(dir, class, fmt.Sprintf("%d.png", i)))
			if err == nil {
				err = png.Encode(f, m)
			}
			if err == nil {
				err = f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
