package train

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/kernel/display"
)

// page is a notebook that keeps the newest of each output.
type page struct {
	mu    sync.Mutex
	order []string
	text  map[string]string
	html  map[string]string
}

func (p *page) Display(d display.Data, id string, update bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !update {
		p.order = append(p.order, id)
	}
	p.text[id], p.html[id] = fmt.Sprint(d.Data[display.MIMEText]), fmt.Sprint(d.Data[display.MIMEHTML])
	return nil
}

func (p *page) Clear(bool) error { return nil }

// TestPanel: in a notebook a job and a Fit on a GPU are one block each, with the
// curve of the loss, speed and memory, which says in the end how it went; a Fit on the
// processor has its line of progress.
func TestPanel(t *testing.T) {
	fakecuda.Use(t, kernels.Sources, "")
	p := &page{text: map[string]string{}, html: map[string]string{}}
	before := display.SetSink(p)
	defer display.SetSink(before)
	o := small(3)
	o.Silent = false
	tr := onGPU(t, "mlp", o)
	ctx, cancel := context.WithCancel(context.Background())
	tr.o.OnStep = func(s Step) {
		if s.Number == 6 {
			cancel()
		}
	}
	if _, err := tr.Dispatch(context.Background(), 1).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Fit(ctx, On("cuda")); err == nil {
		t.Fatal("no interrupt")
	}
	if _, err := tr.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(p.order) != 3 {
		t.Fatalf("%d outputs: %v", len(p.order), p.text)
	}
	for i, words := range [][]string{
		{"done on cpu: 4 of 4 steps, epoch 1/3, loss ", "items/s", "<polyline"},
		{"stopped on Fake GPU 0", "4 of 8 steps, epoch 2/3, loss ", "items/s, GPU memory ", "interrupted in epoch 3", "<polyline"},
		{"training ", "12/12", "loss "},
	} {
		for _, w := range words {
			if s := p.text[p.order[i]] + p.html[p.order[i]]; !strings.Contains(s, w) {
				t.Errorf("output %d does not say %q: %s", i, w, s)
			}
		}
	}
}
