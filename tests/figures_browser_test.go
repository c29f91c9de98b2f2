package tests

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/chestlab/chest/viz"
)

// awkward is a name that could end a script, with letters that fonts lack.
const awkward = `</script><b id="hurt"> "é" 猫`

// TestFiguresInBrowser opens one figure of each kind in one page: each draws,
// none complains, and no name becomes a part of the page.
func TestFiguresInBrowser(t *testing.T) {
	red := image.NewRGBA(image.Rect(0, 0, 40, 40))
	draw.Draw(red, red.Bounds(), image.NewUniform(color.RGBA{0xc0, 0x20, 0x20, 0xff}), image.Point{}, draw.Src)
	merges := []viz.Merge{{A: 0, B: 1, Height: 1}, {A: 2, B: 3, Height: 2}}
	names, class := []string{"a", awkward, "c"}, []int{0, 0, 1}
	p := figuresPage(t,
		viz.Pairs([]viz.PairSet{{Name: awkward, Positive: []float64{0.5, 0.7, 0.8}, Negative: []float64{0, 0.1, 0.5}}}, viz.PairsOptions{Title: awkward}),
		viz.Norms([]float64{1, 2, 2.3}, viz.NormsOptions{Title: awkward, Clip: 2.3}),
		viz.Retrieval([]viz.Query{{Image: red, Class: awkward, Hits: []viz.Hit{{Image: red, Class: awkward}, {Image: red, Class: "b", Distance: 1}}}}, viz.RetrievalOptions{}),
		viz.Dendrogram(merges, viz.DendrogramOptions{Names: names, Label: class, Classes: names}),
		viz.Dendrogram(merges, viz.DendrogramOptions{Names: names, Label: class, Circular: true}),
		viz.Confusions([]float64{0, 1, 2, 1, 0, 2, 2, 2, 0}, viz.ConfusionsOptions{Classes: names, Group: class, Groups: names}),
		viz.HeatMap(names, names, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, viz.HeatMapOptions{X: awkward}),
		viz.Parallel([]viz.Setting{{Name: awkward, Words: names}}, []float64{1, 2, 3}, viz.ParallelOptions{}),
		viz.Tour([]viz.Stop{{Name: awkward, XY: []float64{0, 0.5}}, {XY: []float64{0, -0.5}}}, []int{0}, viz.DiskOptions{Classes: []string{awkward}}),
	)
	var hurt bool
	if p.value(`document.getElementById("hurt")!==null`, &hurt); hurt {
		t.Error("a name became an element of the page")
	}
}

// TestTourInBrowser clicks the slider's next stop: the points move there.
func TestTourInBrowser(t *testing.T) {
	points, label := make([]float64, 400), make([]int, 200)
	end := make([]float64, len(points))
	for i := range label {
		s, c := math.Sincos(float64(i))
		points[2*i], points[2*i+1] = -0.5+0.1*c, 0.1*s
		end[2*i], end[2*i+1] = 0.5+0.1*c, 0.1*s
	}
	p := figuresPage(t, viz.Tour([]viz.Stop{{Name: "first", XY: points}, {Name: "last", XY: end}}, label, viz.DiskOptions{}))
	// in the disk's left half, and in its right one, without the slider below it
	const left, right = `inside(20,100,255,400)`, `inside(290,100,255,400)`
	p.until("points are at the left", left+">100&&"+right+"===0")
	p.click(529, 634, 1) // the button for the next stop
	p.until("points are at the right", left+"===0&&"+right+">100")
}

// figuresPage opens figures as diskPage does, also those that the library draws
// on several canvases.
func figuresPage(t *testing.T, figures ...viz.Figure) *chartPage {
	t.Helper()
	var html strings.Builder
	html.WriteString("<!DOCTYPE html><meta charset=utf-8><body style=\"margin:0\">" + viz.Inline()["text/html"].(string))
	for _, f := range figures {
		html.WriteString(f.MIMEBundle()["text/html"].(string) + "\n")
	}
	html.WriteString("<script>" + watch + layers + "</script></body>")
	p := diskPage(t)
	file := writeFile(t, t.TempDir(), "figures.html", html.String())
	if err := chromedp.Run(p.ctx, chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
	p.until("all charts are drawn", fmt.Sprintf("drawn() === %d", len(figures)))
	return p
}

// layers counts the charts that have colour on one of their canvases, and the
// coloured pixels in a box of the first.
const layers = `
function drawn(){
  return Array.from(document.querySelectorAll('div[id^="chest-viz-"]')).filter(function(d){
    return Array.from(d.querySelectorAll("canvas")).some(function(c){
      return colour(c.getContext("2d").getImageData(0,0,c.width,c.height).data)>=10;});
  }).length;
}
function inside(x,y,w,h){
  return colour(document.querySelector("canvas").getContext("2d").getImageData(x,y,w,h).data);
}`
