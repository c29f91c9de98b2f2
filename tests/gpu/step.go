package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// products are the ways to compute matrix products.
var products = []struct {
	name string
	use  func(*cuda.Device) error
}{
	{"kernels", func(*cuda.Device) error { return nil }},
	{"cuBLAS", func(d *cuda.Device) error { return d.UseBLAS(false) }},
	{"cuBLAS TF32", func(d *cuda.Device) error { return d.UseBLAS(true) }},
}

// step compares whole steps with the processor's engine and times them, with
// all ways to compute products.
func step() error {
	d, err := cuda.Open(0)
	if err != nil {
		return err
	}
	defer d.Close()
	for i, p := range products {
		if err := p.use(d); err != nil {
			fmt.Println("SKIPPED:", p.name, err)
			continue
		}
		tolerance := 2e-3
		if i == 2 {
			tolerance = 3e-2
		}
		if err := compare(d, sized(200, 20), sized(1000, 50), 2, sized(128, 24), tolerance); err != nil {
			return err
		}
		if err := compare(d, sized(300, 20), sized(100, 10), 10, sized(64, 24), tolerance); err != nil {
			return err
		}
		if err := benchStep(d); err != nil {
			return err
		}
		if err := benchHeads(d); err != nil {
			return err
		}
		if err := benchRanks(d); err != nil {
			return err
		}
	}
	return nil
}

// random makes a loss and a batch.
func random(rows, classes, k, d int) (*loss.CHEST, loss.Batch) {
	l := loss.NewCHEST(classes, d, d, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: k}, Seed: 1})
	rng := rand.New(rand.NewPCG(1, 2))
	features := func() []float32 {
		u := make([]float32, rows*d)
		for i := range u {
			u[i] = float32(rng.NormFloat64() * 1.5 / math.Sqrt(float64(d)))
		}
		return u
	}
	b := loss.Batch{E: features(), H: features(), GE: make([]float32, rows*d), GH: make([]float32, rows*d)}
	for range rows {
		b.Label = append(b.Label, rng.IntN(classes))
	}
	return l, b
}

// compare runs ten steps on both and prints how far they are apart.
func compare(d *cuda.Device, rows, classes, k, dim int, tolerance float64) error {
	l, b := random(rows, classes, k, dim)
	m, c := random(rows, classes, k, dim)
	gpu, err := cuda.New(l, engine.Options{}, d)
	if err != nil {
		return err
	}
	defer gpu.Close()
	cpu, err := engine.New(m, engine.Options{})
	if err != nil {
		return err
	}
	var far, farG float64
	for i := range 3 { // later the rounding of earlier moves shows
		b.Rand, c.Rand = rand.New(rand.NewPCG(uint64(i), 9)), rand.New(rand.NewPCG(uint64(i), 9))
		got, err := gpu.Loss(b, false)
		if err != nil {
			return err
		}
		want, err := cpu.Loss(c, false)
		if err != nil {
			return err
		}
		far = max(far, math.Abs(got.Total-want.Total)/want.Total, math.Abs(gpu.Norm()-cpu.Norm())/cpu.Norm())
		farG = max(farG, apart(b.GE, c.GE), apart(b.GH, c.GH))
		move := optim.Move{Rate: 1e-3, Scale: 1}
		if err := gpu.Update(move); err != nil {
			return err
		}
		if err := cpu.Update(move); err != nil {
			return err
		}
	}
	fmt.Printf("3 steps by %s, %d rows, %d×%d proxies of %d: losses and norms differ by %.2g, gradients by %.2g from %s\n", d.Products(), rows, classes, k, dim, far, farG, cpu.Name())
	if far > tolerance/10 || farG > tolerance {
		return fmt.Errorf("the steps differ too much")
	}
	return nil
}

// apart is the largest difference, relative to the largest entry.
func apart(x, y []float32) float64 {
	var far, top float64
	for i, v := range y {
		far, top = max(far, math.Abs(float64(x[i]-v))), max(top, math.Abs(float64(v)))
	}
	return far / top
}

// benchStep times the step at the size of Stanford Online Products: features
// come from the processor's memory and gradients go there.
func benchStep(d *cuda.Device) error {
	l, b := random(batch, classes, proxies, dim)
	e, err := cuda.New(l, engine.Options{}, d)
	if err != nil {
		return err
	}
	defer e.Close()
	b.Rand = rand.New(rand.NewPCG(1, 3))
	var times []float64
	for i := range sized(23, 5) {
		begin := time.Now()
		if _, err := e.Loss(b, false); err != nil {
			return err
		}
		if err := e.Update(optim.Move{Rate: 1e-4, Scale: 1}); err != nil {
			return err
		}
		if i >= 3 {
			times = append(times, ms(time.Since(begin)))
		}
	}
	slices.Sort(times)
	u := d.Usage()
	fmt.Printf("RESULT chest engine step, B %d, D %d, C %d, K %d: median %.3f ms, min %.3f ms (%s; %d MB on the device)\n",
		batch, dim, classes, proxies, times[len(times)/2], times[0], e.Name(), u.Peak>>20)
	return nil
}
