package viz

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func TestX(t *testing.T) {
	for _, c := range []struct{ n, k int }{{600, 5}, {1200, 60}, {6000, 100}, {300, 8}} {
		rng := rand.New(rand.NewPCG(1, 2))
		xy := []float64{}
		lab := []int{}
		super := []int{}
		var px []float64
		var pl []int
		for k := range c.k {
			super = append(super, k%5)
			a := 2 * math.Pi * float64(k) / float64(c.k)
			r := 0.6 + 0.35*rng.Float64()
			px = append(px, r*math.Cos(a), r*math.Sin(a))
			pl = append(pl, k)
		}
		for i := range c.n {
			k := i % c.k
			x, y := px[2*k]+rng.NormFloat64()*.1, px[2*k+1]+rng.NormFloat64()*.1
			if r := math.Hypot(x, y); r > .99 {
				x *= .99 / r
				y *= .99 / r
			}
			xy = append(xy, x, y)
			lab = append(lab, k)
		}
		o := DiskOptions{Title: "Blazons, test classes in D_H", Method: "tangent PCA", Curvature: .1, Note: "15-NN class agreement 0.84 in the disk, 0.91 in D_H", Proxies: px, ProxyLabel: pl}
		if c.k == 100 {
			o.Super = super
		}
		f := Disk(xy, lab, o)
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
		t.Log(c, len(b), len(j), t1.Sub(t0))
		os.WriteFile(fmt.Sprintf("/tmp/viz/disk%d.png", c.k), b, 0o644)
		h := f.MIMEBundle()["text/html"].(string)
		os.WriteFile(fmt.Sprintf("/tmp/viz/disk%d.html", c.k), []byte("<!doctype html><meta charset=utf-8><body>"+h+Inline()["text/html"].(string)), 0o644)
	}
}
