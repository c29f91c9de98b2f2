package device_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/graph/device"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// TestSnippet is docs/gorgonia.md's graph on the GPU: it learns.
func TestSnippet(t *testing.T) {
	gpu, _ := fakeGPU(t)
	var said []string
	print := func(step int, terms loss.Terms) { said = append(said, fmt.Sprint(step, " ", terms)) }
	k := newTask("mlp", loss.Both)
	features, trunk, headE, headH, l := k.x, k.trunk, k.e, k.h, k.l
	first := math.NaN()
	var last float64

	g := G.NewGraph()
	net := device.New(g, gpu)
	x, err := net.Features(features, 24) // uploads all; a node of 24 rows
	if err != nil {
		panic(err)
	}
	f, err := net.Trunk(x, trunk) // or net.Linear, LayerNorm, GELU and Plus by hand
	if err != nil {
		panic(err)
	}
	uE, err := net.Head(f, headE)
	if err != nil {
		panic(err)
	}
	uH, err := net.Head(f, headH)
	if err != nil {
		panic(err)
	}
	chest, err := net.Loss(uE, uH, l, engine.Options{})
	if err != nil {
		panic(err)
	}
	host, err := net.Download(uE) // for stock nodes
	if err != nil {
		panic(err)
	}
	own := G.Must(G.Mean(G.Must(G.Square(host))))
	total := G.Must(G.Add(chest, G.Must(G.Mul(G.NewConstant(float32(0.1)), own))))
	if err := net.Grad(total); err != nil {
		panic(err)
	}
	vm, err := net.Machine() // refuses stock nodes on values of the GPU
	if err != nil {
		panic(err)
	}
	defer vm.Close()

	for step := range 40 {
		rng := rand.New(rand.NewPCG(1, uint64(step)))
		net.Batch(rng.Perm(len(features.Label))[:24], rng)
		if err := vm.RunAll(); err != nil {
			panic(err)
		}
		if err := net.Update(optim.Move{Rate: 1e-2, Scale: 1}); err != nil {
			panic(err)
		}
		vm.Reset()
		print(step, net.Terms())

		last = net.Terms().Total
		if step == 0 {
			first = last
		}
	}
	if err := net.Sync(); err != nil { // weights and proxies are up to date again
		panic(err)
	}

	if !(last < 0.8*first) || len(said) != 40 {
		t.Errorf("the loss goes from %g to %g", first, last)
	}
	if err := net.Close(); err != nil {
		t.Error(err)
	}
	if err := gpu.Close(); err != nil {
		t.Error(err)
	}
}
