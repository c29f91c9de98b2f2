package viz

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/chestlab/chest/internal/echarts"
	"github.com/chestlab/chest/kernel/display"
)

// livePause is the shortest time between two pictures of a Live.
const livePause = 500 * time.Millisecond

// liveRows is the most rows of a series in the pictures of a Live.
const liveRows = 1500

// LiveOptions says how Live draws.
type LiveOptions struct {
	Names []string // of the series, one for each y of Add; nil means numbers
	Right []bool   // which series stand on the right axis; missing ones do not
	Curve CurveOptions
}

// Live is a Curve that grows while a work runs. In a notebook it is one output
// that is replaced at most twice a second and ends as an ordinary Curve; on a
// terminal it prints one line at the end.
//
//	live := viz.NewLive(viz.LiveOptions{Names: []string{"loss"}})
//	defer live.Done()
//	…
//	live.Add(epoch, loss)
//
// Add never waits for a picture but the first: it is cheap to call it every
// step. Its methods may be called from any goroutine.
type Live struct {
	o LiveOptions

	mu     sync.Mutex // guards what follows
	series []Series
	left   int // numbers left out because they cannot be drawn
	id     string
	dirty  bool // something came after the last picture
	busy   bool // a picture is being drawn or is due
	over   bool
	timer  *time.Timer
	shown  time.Time

	drawing sync.Mutex // one picture at a time
}

// NewLive returns a chart without points. It appears with the first Add.
func NewLive(o LiveOptions) *Live {
	l := &Live{o: o}
	for _, name := range o.Names {
		l.grow(name)
	}
	return l
}

// grow adds a series without points.
func (l *Live) grow(name string) {
	i := len(l.series)
	l.series = append(l.series, Series{Name: name, X: []float64{}, Right: i < len(l.o.Right) && l.o.Right[i]})
}

// Add adds the point (x, ys[i]) to each series i. A number that cannot be drawn
// (not finite, or not positive on a logarithmic axis) is left out and counted
// in the caption, so that a training that diverges keeps its picture. Add
// panics when Names were given and ys has another length. After Done it does
// nothing.
func (l *Live) Add(x float64, ys ...float64) {
	l.mu.Lock()
	if l.o.Names != nil && len(ys) != len(l.o.Names) {
		l.mu.Unlock()
		panic(fmt.Sprintf("viz: live: %d numbers for %d series", len(ys), len(l.o.Names)))
	}
	if l.over {
		l.mu.Unlock()
		return
	}
	l.record(x, ys)
	first := l.id == ""
	if !display.InNotebook() || l.busy {
		l.mu.Unlock()
		return
	}
	l.busy = true
	if first {
		l.id = display.NewID()
	} else {
		l.timer = time.AfterFunc(livePause-time.Since(l.shown), l.draw)
	}
	l.mu.Unlock()
	if first {
		l.draw()
	}
}

// record keeps the numbers that can be drawn.
func (l *Live) record(x float64, ys []float64) {
	for len(l.series) < len(ys) {
		l.grow("series " + strconv.Itoa(len(l.series)+1))
	}
	for i, y := range ys {
		s := &l.series[i]
		if !finite(x) || !finite(y) || l.o.Curve.Log && !s.Right && y < tiny {
			l.left++
			continue
		}
		s.X, s.Y = append(s.X, x), append(s.Y, y)
	}
	l.dirty = true
}

// draw shows the newest state: what came while the last picture was drawn is
// in the next one, however much it was.
func (l *Live) draw() {
	l.drawing.Lock()
	defer l.drawing.Unlock()
	l.mu.Lock()
	f, over, first := l.figure(), l.over, l.shown.IsZero()
	l.dirty = false
	l.mu.Unlock()
	if over {
		return
	}
	if b := l.bundle(f, false); first {
		display.ShowAs(l.id, b)
	} else {
		display.Update(l.id, b)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown, l.busy = time.Now(), l.dirty && !l.over
	if l.busy {
		l.timer = time.AfterFunc(livePause, l.draw)
	}
}

// Done shows the whole chart in its final form. A second Done does nothing, nor
// does one without points.
func (l *Live) Done() {
	l.mu.Lock()
	again := l.over
	l.over = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	if again {
		return
	}
	l.drawing.Lock()
	defer l.drawing.Unlock()
	f := l.Figure()
	switch {
	case l.id != "":
		display.Update(l.id, l.bundle(f, true))
	case f.rows() > 0:
		display.Show(f)
	}
}

// Figure is the chart as it is now, for PNG and the like.
func (l *Live) Figure() *CurveFigure {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.figure()
}

// figure copies the state. Above liveRows rows it takes every second, third …
// of a series, and always the last.
func (l *Live) figure() *CurveFigure {
	thin := make([]Series, len(l.series))
	for i, s := range l.series {
		thin[i] = Series{Name: s.Name, Right: s.Right, X: []float64{}}
		n, step := len(s.Y), 1+(len(s.Y)-1)/liveRows
		for k := 0; k < n; k += step {
			thin[i].X, thin[i].Y = append(thin[i].X, s.X[k]), append(thin[i].Y, s.Y[k])
		}
		if n > 0 && (n-1)%step != 0 {
			thin[i].X, thin[i].Y = append(thin[i].X, s.X[n-1]), append(thin[i].Y, s.Y[n-1])
		}
	}
	o := l.o.Curve
	if l.left > 0 {
		o.Caption = join(" · ", o.Caption, count(l.left, "number")+" left out: not finite, or not positive on a log axis")
	}
	return Curve(thin, o)
}

// rows is the number of points of all series.
func (f *CurveFigure) rows() int {
	n := 0
	for _, s := range f.series {
		n += len(s.Y)
	}
	return n
}

// bundle is a state of the chart as an output. While the work runs it is the
// chart and a small picture, which stands where no script runs; the last one
// has all forms. All share a key, so that the page keeps one canvas.
func (l *Live) bundle(f *CurveFigure, last bool) display.Bundle {
	scale := plain
	if last {
		scale = sharp
	}
	img, err := still(f, scale)
	if err != nil {
		return failure(err)
	}
	option, err := f.Option()
	if err != nil {
		return failure(err)
	}
	id := newID()
	b := display.Bundle{
		display.MIMEHTML: chart(id, echarts.Loader(id, session+" "+l.id, option), picture("", f.Alt(), img, curveWidth, curveHeight), curveWidth, curveHeight),
		display.MIMEText: f.Alt(),
	}
	if last {
		b[display.MIMEPNG] = img
	}
	return b
}
