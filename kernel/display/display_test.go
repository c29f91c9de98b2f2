package display

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

// recorder is a sink that keeps what it gets.
type recorder struct {
	mu  sync.Mutex
	all []shown
}

type shown struct {
	b      Bundle
	id     string
	update bool
}

func (r *recorder) Display(d Data, id string, update bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, shown{d.Data, id, update})
	return nil
}

func (r *recorder) Clear(bool) error { return nil }

// record sends outputs to a new recorder for the length of a test.
func record(t *testing.T) *recorder {
	r := &recorder{}
	before := SetSink(r)
	t.Cleanup(func() { SetSink(before) })
	return r
}

type own struct{ m map[string]any }

func (o own) MIMEBundle() map[string]any { return o.m }

type bad struct{}

func (bad) MIMEBundle() map[string]any { panic("oh") }

func TestOf(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	for _, c := range []struct {
		name string
		v    any
		mime string
		want string // prefix of the text form
	}{
		{"number", 42, MIMEText, "42"},
		{"nil", nil, MIMEText, "<nil>"},
		{"error", errors.New("no file"), MIMEText, "no file"},
		{"bundle", HTML("<b>x</b>"), MIMEHTML, "x"},
		{"own forms", own{map[string]any{MIMEHTML: "<i>y</i>"}}, MIMEHTML, "y"},
		{"own forms, none", own{nil}, MIMEText, "{map[]}"},
		{"own forms, panic", bad{}, MIMEText, "display: MIMEBundle of display.bad panicked: oh"},
		{"image", img, MIMEPNG, "<image, 3×2>"},
	} {
		b := Of(c.v)
		if _, ok := b[c.mime]; !ok || !strings.HasPrefix(b[MIMEText].(string), c.want) {
			t.Errorf("%s: %v", c.name, b)
		}
	}
	m, err := png.Decode(bytes.NewReader(Of(img)[MIMEPNG].([]byte)))
	if err != nil || m.Bounds().Dx() != 3 {
		t.Error("the image's PNG:", m, err)
	}
}

func TestLists(t *testing.T) {
	long := make([]float32, 5000)
	long[0], long[4999] = 1.5, 2.5
	errs := make([]error, 70)
	for i := range errs {
		errs[i] = fmt.Errorf("fault number %d", i)
	}
	for _, c := range []struct {
		name       string
		v          any
		begin, end string
		lines      int
	}{
		{"numbers", long, "[1.5 0 0 0", "0 0 2.5] 5000 of float32", 1},
		{"numbers, fewer", long[:1000], "[1.5 0 0", "0 0 0]", 1},
		{"texts", slices.Repeat([]string{"ab"}, 1001), "[ab ab", "ab] 1001 of string", 1},
		{"errors", errs, "fault number 0\nfault number 1\n", "fault number 59\n… and 10 more", 61},
		{"two errors", errs[:2], "[fault number 0 fault", "number 1]", 1},
		{"lines", errs[:6], "fault number 0\n", "fault number 5", 6},
		{"nothing", []float64{}, "[]", "[]", 1},
		{"an array", [1001]int{}, "[0 0 0", "0 0]", 1},
	} {
		got := Of(c.v)[MIMEText].(string)
		if !strings.HasPrefix(got, c.begin) || !strings.HasSuffix(got, c.end) || strings.Count(got, "\n") != c.lines-1 {
			t.Errorf("%s: %.300q", c.name, got)
		}
	}
}

type loud struct{ n int }

func (l *loud) String() string { return fmt.Sprint("loud ", l.n) }

// TestPointed: what a pointer says of itself, the value says too.
func TestPointed(t *testing.T) {
	for _, v := range []any{loud{3}, &loud{3}} {
		if got := Of(v)[MIMEText]; got != "loud 3" {
			t.Errorf("%T: %v", v, got)
		}
	}
	m := mat.NewDense(1, 2, []float64{1, 2.5})
	if got, want := Of(*m), Of(m); !reflect.DeepEqual(got, want) || got[MIMEHTML] == nil {
		t.Errorf("a matrix: %v, want %v", got, want)
	}
}

// TestOfResults: what a call gives beside no error keeps its forms.
func TestOfResults(t *testing.T) {
	for _, c := range []struct {
		values []any
		want   Bundle
	}{
		{nil, nil},
		{[]any{nil}, Bundle{MIMEText: "<nil>"}},
		{[]any{3, "a"}, Bundle{MIMEText: "3 a"}},
		{[]any{HTML("<b>x</b>"), nil}, Of(HTML("<b>x</b>"))},
		{[]any{1, 2, nil}, Bundle{MIMEText: "1 2"}},
		{[]any{0, struct{ X []int }{}, errors.New("no file")}, Bundle{MIMEText: "no file"}},
		{[]any{7, errors.New("no file")}, Bundle{MIMEText: "7 no file"}},
		{[]any{(*table)(nil), nil, errors.New("no file")}, Bundle{MIMEText: "no file"}},
		{[]any{"a\nb", errors.New("no file")}, Bundle{MIMEText: "a\nb\nno file"}},
	} {
		if got := OfResults(c.values); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.values, got, c.want)
		}
	}
}

func TestShowAndUpdate(t *testing.T) {
	r := record(t)
	id := NewID()
	if id == NewID() {
		t.Error("the same id twice")
	}
	Show(1, "two")
	ShowAs(id, 3)
	Update(id, 4)
	want := []shown{{Bundle{MIMEText: "1"}, "", false}, {Bundle{MIMEText: "two"}, "", false}, {Bundle{MIMEText: "3"}, id, false}, {Bundle{MIMEText: "4"}, id, true}}
	if len(r.all) != len(want) {
		t.Fatalf("%d outputs, want %d", len(r.all), len(want))
	}
	for i, w := range want {
		if g := r.all[i]; g.b[MIMEText] != w.b[MIMEText] || g.id != w.id || g.update != w.update {
			t.Errorf("output %d: %v, want %v", i, g, w)
		}
	}
}

// TestContextIsOfTheRunningCell: a context kept from one cell ends with the
// interrupt of a later one, and lives again in the cell after that; what was
// derived from it stays ended.
func TestContextIsOfTheRunningCell(t *testing.T) {
	defer SetContext(context.Background())
	kept := Context()
	if kept.Err() != nil || kept.Done() != nil {
		t.Error("outside of a cell the context never ends")
	}
	interrupted, cancel := context.WithCancel(context.Background())
	SetContext(interrupted)
	derived, release := context.WithCancel(kept)
	defer release()
	cancel()
	if kept.Err() == nil || derived.Err() == nil {
		t.Error("the interrupt did not arrive")
	}
	SetContext(context.Background())
	if kept.Err() != nil {
		t.Error("the next cell's context has ended already")
	}
	if derived.Err() == nil {
		t.Error("work of the interrupted cell goes on")
	}
}

// TestProgressInNotebook: one output, replaced at most five times a second
// whatever the number of steps, with the closing status last.
func TestProgressInNotebook(t *testing.T) {
	r := record(t)
	var p Progress
	begin := time.Now()
	p.Start(1000, "training")
	for i := range 1000 {
		p.Set(i+1, "loss 0.1")
	}
	p.Finish("done <&>")
	p.Finish("again")
	most := 3 + int(time.Since(begin)/notebookPause)
	if len(r.all) > most {
		t.Errorf("%d messages, at most %d allowed", len(r.all), most)
	}
	last := r.all[len(r.all)-1]
	if h := last.b[MIMEHTML].(string); !strings.Contains(h, "1000/1000") || !strings.Contains(h, "done &lt;&amp;&gt;") {
		t.Errorf("the last state: %s", h)
	}
	for i, s := range r.all {
		if s.id != r.all[0].id || s.update != (i > 0) {
			t.Errorf("message %d: id %q, update %v", i, s.id, s.update)
		}
	}
}

// TestProgressElsewhere writes a line for each tenth.
func TestProgressElsewhere(t *testing.T) {
	var b bytes.Buffer
	p := Progress{out: &b}
	p.Start(40, "reading")
	for i := range 40 {
		p.shown = time.Time{}
		p.Set(i+1, "")
	}
	p.Finish("")
	if n := strings.Count(b.String(), "\n"); n != 11 || !strings.Contains(b.String(), "40/40") {
		t.Errorf("%d lines, want 11:\n%s", n, &b)
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0:00", 65 * time.Second: "1:05", 3723 * time.Second: "1:02:03"} {
		if got := clock(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
