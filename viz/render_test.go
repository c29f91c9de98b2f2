package viz

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dop251/goja"

	"github.com/chestlab/chest/internal/echarts"
)

// browser is the chart library in a JavaScript engine without a page: enough
// to draw an option as SVG.
type browser struct {
	vm     *goja.Runtime
	render goja.Callable
	said   []string // on the console
}

// newBrowser loads the library, which takes a second.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	b := &browser{vm: goja.New()}
	say := func(kind string) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			b.said = append(b.said, fmt.Sprint(kind, ": ", c.Arguments))
			return goja.Undefined()
		}
	}
	nothing := func(goja.FunctionCall) goja.Value { return b.vm.ToValue(0) }
	for name, v := range map[string]any{
		"setTimeout": nothing, "clearTimeout": nothing,
		"console": map[string]any{"log": say("log"), "warn": say("warn"), "error": say("error")},
	} {
		if err := b.vm.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.vm.RunScript(echarts.FileName, echarts.Library); err != nil {
		t.Fatal(err)
	}
	f, err := b.vm.RunString(`(function(option,w,h,stop){
		var c=echarts.init(null,null,{renderer:"svg",ssr:true,width:w,height:h});
		c.setOption(JSON.parse(option));
		if(stop){c.dispatchAction({type:"timelineChange",currentIndex:stop});}
		var s=c.renderToSVGString();
		c.dispose();
		return s;
	})`)
	if err != nil {
		t.Fatal(err)
	}
	b.render, _ = goja.AssertFunction(f)
	return b
}

// svg draws an option, and fails when the library throws or says something.
func (b *browser) svg(t *testing.T, option []byte, w, h int) string {
	t.Helper()
	return b.svgAt(t, option, w, h, 0)
}

// svgAt is svg after the slider of a timeline went to a stop.
func (b *browser) svgAt(t *testing.T, option []byte, w, h, stop int) string {
	t.Helper()
	b.said = nil
	v, err := b.render(goja.Undefined(), b.vm.ToValue(string(option)), b.vm.ToValue(w), b.vm.ToValue(h), b.vm.ToValue(stop))
	if err != nil {
		t.Fatalf("the library throws: %v", err)
	}
	if len(b.said) > 0 {
		t.Errorf("the library says %q", b.said)
	}
	return v.String()
}

// ids are the names that the library gives to parts, counted through its life.
var ids = regexp.MustCompile(`zr[0-9]+-[a-z]+-?[0-9]+`)

// renamed counts the names of a drawing from 1.
func renamed(svg string) string {
	names := map[string]string{}
	return ids.ReplaceAllStringFunc(svg, func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("id%d", len(names)+1)
		}
		return names[id]
	})
}

// heavySVG is the size in bytes above which only a digest of a drawing is kept.
const heavySVG = 30_000

// TestRendered draws the option of every golden file as a page would: the
// library must take it without a word, draw every point, and draw the same as
// before.
func TestRendered(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) < len(samples()) {
		t.Fatalf("%d options, want one for each of %d figures: %v", len(files), len(samples()), err)
	}
	b := newBrowser(t)
	known := samples()
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			option, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w, h := diskWidth, diskHeight+sliderTall
			if f, ok := known[name].(painter); ok && name != "tour" {
				w, h = f.bounds()
			}
			svg := b.svg(t, option, w, h)
			checkMarks(t, option, svg)
			svg = renamed(svg)
			if len(svg) > heavySVG {
				svg = fmt.Sprintf("%d bytes, SHA-256 %x\n", len(svg), sha256.Sum256([]byte(svg)))
			}
			golden(t, filepath.Join("rendered", name+".svg"), svg)
		})
	}
}

// drawnSeries is what the marks of a series must be.
type drawnSeries struct {
	Type  string `json:"type"`
	Large bool   `json:"large"`
	Data  []any  `json:"data"`
}

// checkMarks holds a drawing to its option: a mark for each point, cell and
// trial, a line for each series of lines, and no number that is none.
func checkMarks(t *testing.T, option []byte, svg string) {
	t.Helper()
	var whole struct {
		Base   json.RawMessage `json:"baseOption"`
		Series []drawnSeries   `json:"series"`
	}
	if err := json.Unmarshal(option, &whole); err != nil {
		t.Fatal(err)
	}
	if whole.Base != nil {
		checkMarks(t, whole.Base, svg)
		return
	}
	wellFormed(t, []byte(svg))
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "undefined") {
		t.Error("the drawing holds NaN or undefined")
	}
	marked := map[[2]int]bool{}
	for _, tag := range marks.FindAllString(svg, -1) {
		var at [2]int
		for k, what := range []*regexp.Regexp{ofSeries, ofRow} {
			if m := what.FindStringSubmatch(tag); m != nil {
				at[k], _ = strconv.Atoi(m[1])
			}
		}
		marked[at] = !strings.Contains(tag, ` points=""`) && !strings.Contains(tag, ` d=""`)
	}
	series := 0
	for k, s := range whole.Series {
		if s.Type == "line" && len(s.Data) > 0 {
			series++
		}
		for i := range s.Data {
			if point := s.Type == "scatter" || s.Type == "heatmap" || s.Type == "parallel"; point && !s.Large && !marked[[2]int{k, i}] {
				t.Errorf("series %d (%s) has no mark for row %d of %d", k, s.Type, i, len(s.Data))
			}
		}
	}
	if n := len(strokes.FindAllString(svg, -1)); n < series {
		t.Errorf("%d lines for %d series of lines", n, series)
	}
}

// marks finds the marks of rows of series; of legends there are others.
var (
	marks    = regexp.MustCompile(`<[^>]*ecmeta_ssr_type="chart"[^>]*>`)
	strokes  = regexp.MustCompile(`<path[^>]*fill="none"[^>]*stroke=`)
	ofSeries = regexp.MustCompile(`ecmeta_series_index="([0-9]+)"`)
	ofRow    = regexp.MustCompile(`ecmeta_data_index="([0-9]+)"`)
)

// TestTourMoves moves the slider: at every stop the points stand where a disk
// of that stop has them, and circle and rings stay.
func TestTourMoves(t *testing.T) {
	b := newBrowser(t)
	f := samples()["tour"].(*TourFigure)
	option, err := f.Option()
	if err != nil {
		t.Fatal(err)
	}
	option = bytes.Replace(option, []byte(`"animation":true`), []byte(`"animation":false`), 1)
	places := regexp.MustCompile(`matrix\([^)]*\)"[^>]*ecmeta_ssr_type="chart"|<path d="[^"]*" fill="none"[^>]*>`)
	for i, d := range f.disks {
		still, err := d.Option()
		if err != nil {
			t.Fatal(err)
		}
		want := places.FindAllString(renamed(b.svg(t, still, diskWidth, diskHeight+sliderTall)), -1)
		got := places.FindAllString(renamed(b.svgAt(t, option, diskWidth, diskHeight+sliderTall, i)), -1)
		if len(want) < 8 || !slices.Equal(got[:min(len(want), len(got))], want) {
			t.Errorf("stop %d: %d marks and lines, want those %d of the disk:\n%q\n%q", i, len(got), len(want), got, want)
		}
	}
}

// TestRowsTakeFigures puts every figure beside a disk and beside itself: all its
// marks are drawn in a row too.
func TestRowsTakeFigures(t *testing.T) {
	b := newBrowser(t)
	for name, f := range samples() {
		t.Run(name, func(t *testing.T) {
			row := SideBySide("both", small(), f, f)
			option, err := row.Option()
			if name == "tour" {
				if err == nil || !strings.Contains(err.Error(), "slider") {
					t.Errorf("a tour in a row: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w, h := row.bounds()
			checkMarks(t, option, b.svg(t, option, w, h))
		})
	}
}
