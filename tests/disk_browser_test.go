package tests

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/chestlab/chest/viz"
)

// diskPage opens figures in headless Chromium, from a file and without network,
// and waits until every one has a canvas with enough colour on it. The test
// fails when the console shows an error.
func diskPage(t *testing.T, figures ...viz.Figure) *chartPage {
	t.Helper()
	browser := need(t, "chromium", "google-chrome", "chromium-browser")
	var html strings.Builder
	html.WriteString("<!DOCTYPE html><meta charset=utf-8><body style=\"margin:0\">" + viz.Inline()["text/html"].(string) + "<script>window.begun=performance.now()</script>\n")
	for _, f := range figures {
		html.WriteString(f.MIMEBundle()["text/html"].(string) + "\n")
	}
	html.WriteString("<script>" + watch + "</script></body>")
	file := writeFile(t, t.TempDir(), "page.html", html.String())
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1300, 1000), chromedp.UserDataDir(profile(t)), chromedp.ProxyServer("127.0.0.1:9"))
	ctx, stop1 := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop2 := chromedp.NewContext(ctx)
	ctx, stop3 := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(func() { stop3(); stop2(); stop1() })
	p := &chartPage{T: t, ctx: ctx, bytes: html.Len()}
	chromedp.ListenTarget(ctx, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.complaints = append(p.complaints, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type != runtime.APITypeLog {
				p.complaints = append(p.complaints, fmt.Sprintf("%s %s", e.Type, e.Args[0].Value))
			}
		}
	})
	if err := chromedp.Run(ctx, chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.quiet)
	p.until("all charts are drawn", fmt.Sprintf("painted.length === %d", len(figures)))
	return p
}

// watch notes when each chart has colour on its canvas.
const watch = `
window.painted=[];
function colour(d){ // bytes of pixels: how many are far from grey
  for(var n=0,i=0;i<d.length;i+=4){
    if(d[i+3]>0&&Math.max(d[i],d[i+1],d[i+2])-Math.min(d[i],d[i+1],d[i+2])>60){n++;}
  }
  return n;
}
function look(){
  var all=document.querySelectorAll("canvas");
  for(var k=painted.length;k<all.length;k++){
    if(colour(all[k].getContext("2d").getImageData(0,0,all[k].width,all[k].height).data)<10){break;}
    painted.push(performance.now());
  }
  requestAnimationFrame(look);
}
look();
// place is the middle of the pixels near a colour on a canvas, left of the legend.
function place(canvas,r,g,b){
  var c=document.querySelectorAll("canvas")[canvas],x=0,y=0,n=0,w=Math.min(c.width,555),
      d=c.getContext("2d").getImageData(0,0,w,c.height).data;
  for(var i=0;i<d.length;i+=4){
    if(Math.abs(d[i]-r)+Math.abs(d[i+1]-g)+Math.abs(d[i+2]-b)<60){n++;x+=(i/4)%w;y+=Math.floor(i/4/w);}
  }
  return n?[x/n,y/n]:[-1,-1];
}`

// chartPage is a page of charts in a browser.
type chartPage struct {
	*testing.T
	ctx   context.Context
	bytes int // of the page

	mu         sync.Mutex
	complaints []string // of the console
}

// quiet fails the test when the console complained.
func (p *chartPage) quiet() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.complaints {
		p.Errorf("browser console: %s", c)
	}
}

// value is an expression of the page.
func (p *chartPage) value(expression string, to any) {
	p.Helper()
	if err := chromedp.Run(p.ctx, chromedp.Evaluate(expression, to)); err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
}

// until waits for a condition of the page.
func (p *chartPage) until(what, condition string) {
	p.Helper()
	for ok, end := false, time.Now().Add(30*time.Second); ; time.Sleep(20 * time.Millisecond) {
		if p.value("Boolean("+condition+")", &ok); ok {
			return
		}
		if time.Now().After(end) {
			p.quiet()
			p.Fatalf("never came: %s: %s", what, condition)
		}
	}
}

// click clicks at a place of the window and goes away: what lies under the mouse
// looks different.
func (p *chartPage) click(x, y float64, times int64) {
	p.Helper()
	for n := int64(1); n <= times; n++ {
		for _, kind := range []input.MouseType{input.MouseMoved, input.MousePressed, input.MouseReleased} {
			e := input.DispatchMouseEvent(kind, x, y)
			if kind != input.MouseMoved {
				e = e.WithButton(input.Left).WithClickCount(n)
			}
			if err := chromedp.Run(p.ctx, e); err != nil {
				p.Fatal(err)
			}
		}
	}
	if err := chromedp.Run(p.ctx, input.DispatchMouseEvent(input.MouseMoved, 700, 610)); err != nil {
		p.Fatal(err)
	}
}

// hover goes to a place of the window and waits for a condition.
func (p *chartPage) hover(x, y float64, what, condition string) {
	p.Helper()
	for _, dx := range []float64{3, 1, 0} {
		if err := chromedp.Run(p.ctx, input.DispatchMouseEvent(input.MouseMoved, x+dx, y)); err != nil {
			p.Fatal(err)
		}
	}
	p.until(what, condition)
}

// TestDiskOf60000 draws 60,000 points in a browser. It prints how long that
// took, counted from the beginning of the page, with the library in it, and from
// the chart's own beginning.
func TestDiskOf60000(t *testing.T) {
	rng := rand.New(rand.NewPCG(60, 0))
	const n, classes = 60000, 8
	xy, label, names := make([]float64, 0, 2*n), make([]int, n), make([]string, n)
	for i := range n {
		label[i], names[i] = i%classes, fmt.Sprintf("%03d/image_%05d.jpg", i%classes, i)
		z := cmplx.Rect(math.Tanh(math.Abs(1.2+0.3*rng.NormFloat64())), 2*math.Pi*float64(i%classes)/classes+0.3*rng.NormFloat64())
		xy = append(xy, real(z), imag(z))
	}
	f := viz.Disk(xy, label, viz.DiskOptions{Title: "60,000 points", Names: names})
	html := len(f.MIMEBundle()["text/html"].(string))
	if html >= 3<<20 {
		t.Errorf("the HTML has %d bytes; want less than 3 MB", html)
	}
	p := diskPage(t, f)
	var painted, begun float64
	var ink int
	p.value("painted[0]", &painted)
	p.value("begun", &begun)
	p.value(`(function(){var c=document.querySelector("canvas");return colour(c.getContext("2d").getImageData(0,0,c.width,c.height).data);})()`, &ink)
	t.Logf("60,000 points: HTML %.2f MB; painted %.0f ms after the page began, %.0f ms after the chart began; %d coloured pixels", float64(html)/1e6, painted, painted-begun, ink)
	if ink < 20000 {
		t.Errorf("%d coloured pixels; the points are not drawn", ink)
	}
	p.hover(12+270+270*0.834, 40+270, "a name under the mouse", `/class 0\s+000.image_\d{5}\.jpg/.test(document.body.innerText)`)
	start := time.Now()
	p.click(12+270+270*0.834, 40+270, 1)
	p.until("the class that was clicked on lies in the middle and left of it", "(function(){var q=place(0,0,114,178);return q[0]>150&&q[0]<260;})()") // it was at 500
	t.Logf("another point at the centre after %d ms", time.Since(start).Milliseconds())
}

// TestDiskComesToTheCentre clicks on a point: it comes to the centre, and the
// others move as the Möbius translation says. A double click brings all back.
func TestDiskComesToTheCentre(t *testing.T) {
	blue, orange := complex(0.5, 0.2), complex(-0.3, 0.6)
	p := diskPage(t, viz.Disk([]float64{real(blue), imag(blue), real(orange), imag(orange)}, []int{0, 1}, viz.DiskOptions{
		Size: 14, NoRings: true, Classes: []string{"a </script>", "b"}, Edges: [][2]int{{0, 1}}, Clip: 0.9,
	}))
	// the disk's middle and radius in the picture
	const x, y, r = 12 + 270, 40 + 270, 270 / 1.02
	at := func(z complex128) [2]float64 { return [2]float64{x + r*real(z), y - r*imag(z)} }
	see := func(when string, rgb string, z complex128) {
		t.Helper()
		want := at(z)
		p.until(when, fmt.Sprintf("(function(){var q=place(0,%s);return Math.hypot(q[0]-%g,q[1]-%g)<2;})()", rgb, want[0], want[1]))
	}
	const isBlue, isOrange = "64,149,197", "236,183,64" // three quarters of the colours, on white
	see("at first", isBlue, blue)
	see("at first", isOrange, orange)
	p.click(at(blue)[0], at(blue)[1], 1)
	see("after a click", isBlue, 0)
	see("after a click", isOrange, (orange-blue)/(1-cmplx.Conj(blue)*orange))
	p.click(5, 600, 2)
	see("after a double click", isBlue, blue)
	see("after a double click", isOrange, orange)
}

// TestPicturesBesideTheDisk draws the pictures that stand beside a disk, and two
// in a row.
func TestPicturesBesideTheDisk(t *testing.T) {
	xy, label := []float64{0.5, 0.2, -0.3, 0.6, 0, -0.5}, []int{0, 1, 2}
	images := make([]image.Image, len(label))
	for i := range images {
		m := image.NewRGBA(image.Rect(0, 0, 20, 30))
		draw.Draw(m, m.Rect, image.NewUniform(color.RGBA{200, uint8(60 * i), 40, 255}), image.Point{}, draw.Src)
		images[i] = m
	}
	disk, plane := viz.Disk(xy, label, viz.DiskOptions{Size: 12, Thumbs: images}), viz.Plane(xy, label, viz.PlaneOptions{Size: 12})
	p := diskPage(t, disk, plane, viz.Thumbnails(xy, images, label, viz.ThumbnailOptions{}), viz.SideBySide("</script>", disk, plane))
	p.hover(12+270+270/1.02*0.5, 40+270-270/1.02*0.2, "an image under the mouse", `Array.from(document.images).some(function(m){return m.src.indexOf("data:image/jpeg")===0&&m.naturalHeight===30&&m.offsetHeight===64;})`)
}
