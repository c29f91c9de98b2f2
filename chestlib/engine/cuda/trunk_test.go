package cuda_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// layersOf is a trunk from taskIn to taskIn features: linear, then a residual block.
func layersOf(rng *rand.Rand) (all []cuda.Layer) {
	param := func(name string, plain bool, scale, shift float64, shape ...int) *optim.Param {
		p := optim.NewParam(name, "trunk", shape...)
		p.Plain = plain
		for i := range p.Value {
			p.Value[i] = float32(shift + scale*rng.NormFloat64())
		}
		return p
	}
	linear := func(name string, residual int) cuda.Layer {
		return cuda.Layer{Kind: cuda.LinearLayer, Weight: param(name+".weight", false, 0.2, 0, taskIn, taskIn), Bias: param(name+".bias", true, 0.1, 0, taskIn), Residual: residual}
	}
	norm := cuda.Layer{Kind: cuda.NormLayer, Weight: param("norm.gain", true, 0.1, 1, taskIn), Bias: param("norm.bias", true, 0.1, 0, taskIn), Eps: 1e-5}
	return []cuda.Layer{linear("stem", 0), norm, linear("up", 0), {Kind: cuda.GELULayer}, linear("down", 4)}
}

// TestTrunkGradient compares the norm of the whole gradient with what a small step
// against it changes the loss by: AdamW with β of 0 and a large ε is such a step.
func TestTrunkGradient(t *testing.T) {
	d := open(t)
	o := loss.CHESTOptions{Tree: loss.HypHCOptions{}}
	batches, _ := schedule(1, 20)
	batches = append(batches, batches[0])
	const rate, large = 1e-4, 1e3 // w moves by rate·g: ε is all of the denominator
	moves := []optim.Move{{Rate: rate * large, Scale: 1}, {Rate: rate * large, Scale: 1}}
	k := newTask(o)
	options := cuda.HeadOptions{Trunk: layersOf(rand.New(rand.NewPCG(1, 2)))}
	options.Engine.Optim = optim.AdamWOptions{Beta1: 1e-12, Beta2: 1e-12, Eps: large, Decay: -1}
	h, err := cuda.NewHeadTrainer(k.l, k.e, k.h, k.x, options, d)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	done, err := h.Steps(context.Background(), batches, moves, func(int) *rand.Rand { return treeRand(0) })
	if err != nil {
		t.Fatal(err)
	}
	fall, want := done[0].Loss.Total-done[1].Loss.Total, rate*done[0].Norm*done[0].Norm
	if !(math.Abs(fall-want) < 0.05*want) {
		t.Errorf("the loss falls by %g, the gradient of norm %g says %g", fall, done[0].Norm, want)
	}
}

func TestTrunkErrors(t *testing.T) {
	d := open(t)
	for _, c := range []struct {
		change func(l []cuda.Layer) []cuda.Layer
		says   string
	}{
		{func(l []cuda.Layer) []cuda.Layer { l[1].Weight = nil; return l }, "layer 1 has no weight or bias"},
		{func(l []cuda.Layer) []cuda.Layer { l[0].Bias = optim.NewParam("b", "trunk", 5); return l }, "layer 0 has 441 weights and 5 biases, want 105 and 5"},
		{func(l []cuda.Layer) []cuda.Layer { l[1].Bias = optim.NewParam("b", "trunk", 5); return l }, "layer 1 has 21 weights and 5 biases, want 21 and 21"},
		{func(l []cuda.Layer) []cuda.Layer { l[3].Kind = 7; return l }, "layer 3 has no weight"},
		{func(l []cuda.Layer) []cuda.Layer { l[4].Residual = 6; return l }, "layer 4 cannot add the input of 6 layers"},
		{func(l []cuda.Layer) []cuda.Layer { l[1].Residual = 1; return l }, "layer 1 cannot add the input of 1 layers"},
		{func(l []cuda.Layer) []cuda.Layer { l[4].Residual = -1; return l }, "layer 4 cannot add"},
		{func(l []cuda.Layer) []cuda.Layer {
			l[4].Weight, l[4].Bias = optim.NewParam("w", "trunk", 5, taskIn), optim.NewParam("b", "trunk", 5)
			l[4].Residual = 0
			return l
		}, "the head E has 189 weights and 9 biases, want 9×5 and 9"},
	} {
		k := newTask(loss.CHESTOptions{})
		trunk := c.change(layersOf(rand.New(rand.NewPCG(1, 2))))
		if _, err := cuda.NewHeadTrainer(k.l, k.e, k.h, k.x, cuda.HeadOptions{Trunk: trunk}, d); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want one that says %q", err, c.says)
		}
	}
}
