package optim

import (
	"fmt"
	"slices"
	"testing"
)

// benchRows is 10 million weights: 78,125 rows of 128.
const benchRows, benchDim = 78125, 128

// BenchmarkStep is one step of 10 million weights by one thread, with and
// without clipping; the Riemannian recipes move points of a ball.
func BenchmarkStep(b *testing.B) {
	for _, r := range []Recipe{
		AdamWOptions{}, AdamOptions{}, AdamOptions{Decay: 1e-4},
		SGDOptions{}, SGDOptions{Momentum: 0.9, Decay: 1e-4}, SGDOptions{Momentum: 0.9, Nesterov: true, Decay: 1e-4},
		RiemannianSGDOptions{}, RiemannianSGDOptions{Momentum: 0.9}, RiemannianSGDOptions{Momentum: 0.9, Nesterov: true}, RiemannianAdamOptions{},
	} {
		for _, m := range []Move{{Rate: 1e-3, Scale: 1}, {Rate: 1e-3, Scale: 0.5, Limit: 10}} {
			b.Run(fmt.Sprintf("%s%+v/clip=%v", r.Name(), r, m.Limit > 0), func(b *testing.B) {
				p := benchParam(balls(r))
				o, err := r.Make([]*Param{p}, Common{Threads: 1})
				if err != nil {
					b.Fatal(err)
				}
				g := slices.Clone(p.Grad)
				o.Move(m) // touches the memory of the state
				for b.Loop() {
					b.StopTimer()
					copy(p.Grad, g) // steps without gradients end in denormal numbers
					b.StartTimer()
					o.Move(m)
				}
				perEntry(b)
			})
		}
	}
}

// BenchmarkEMA is one update of an average of as many.
func BenchmarkEMA(b *testing.B) {
	e, err := NewEMA([]*Param{benchParam(false)}, EMAOptions{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	e.Update()
	for b.Loop() {
		e.Update()
	}
	perEntry(b)
}

func benchParam(ball bool) *Param {
	p := NewParam("p", "", benchRows, benchDim)
	if ball {
		p.Ball = 0.1
	}
	for i := range p.Value {
		p.Value[i], p.Grad[i] = float32(i%7-3)/40, float32(i%5-2)
	}
	return p
}

func perEntry(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(benchRows*benchDim), "ns/entry")
}
