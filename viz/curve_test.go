package viz

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func TestY(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	mk := func(n int, f func(float64) float64, sd float64) (s Series) {
		for i := range n {
			x := float64(i + 1)
			s.X = append(s.X, x)
			s.Y = append(s.Y, f(x)+sd*rng.NormFloat64())
			s.Std = append(s.Std, sd*3)
		}
		return
	}
	loss := mk(40, func(x float64) float64 { return 4*math.Exp(-x/8) + .4 }, .03)
	loss.Name = "loss"
	rec := mk(40, func(x float64) float64 { return .85 - .5*math.Exp(-x/10) }, .008)
	rec.Name = "R@1 (unseen classes)"
	rec.Right = true
	neg := mk(200, func(x float64) float64 { return math.Sin(x / 20) }, .05)
	neg.Name = "sine"
	one := Series{Name: "one", X: []float64{1}, Y: []float64{2}}
	for name, f := range map[string]*CurveFigure{
		"two":  Curve([]Series{loss, rec}, CurveOptions{Title: "CHEST on Blazons", X: "epoch", Left: "loss", Right: "recall", Caption: "mean ± std over 5 seeds"}),
		"log":  Curve([]Series{loss, rec}, CurveOptions{Title: "CHEST on Blazons", X: "epoch", Left: "loss", Right: "recall", Log: true}),
		"neg":  Curve([]Series{neg}, CurveOptions{X: "step"}),
		"one":  Curve([]Series{one}, CurveOptions{X: "step"}),
		"none": Curve(nil, CurveOptions{X: "step"}),
	} {
		t0 := time.Now()
		b, err := f.PNG()
		if err != nil {
			t.Fatal(err)
		}
		t1 := time.Now()
		j, err := f.Option()
		if err != nil {
			t.Fatal(err)
		}
		t.Log(name, len(b), len(j), t1.Sub(t0))
		if name == "two" {
			t.Log(string(j))
		}
		os.WriteFile("/tmp/viz/c"+name+".png", b, 0o644)
		h := f.MIMEBundle()["text/html"].(string)
		os.WriteFile("/tmp/viz/c"+name+".html", []byte("<!doctype html><meta charset=utf-8><body>"+h+Inline()["text/html"].(string)), 0o644)
	}
}
