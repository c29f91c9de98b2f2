package optim_test

import (
	"fmt"
	"log"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/chestlib/poincare"
)

// A loop of one's own: the gradient goes into Grad, the schedule gives the rate,
// the average is what is measured.
func Example() {
	w := optim.NewParam("w", "trunk", 2)
	params := []*optim.Param{w}
	sgd, err := optim.SGDOptions{Momentum: 0.9, Nesterov: true}.Make(params, optim.Common{})
	if err != nil {
		log.Fatal(err)
	}
	ema, err := optim.NewEMA(params, optim.EMAOptions{Decay: 0.95})
	if err != nil {
		log.Fatal(err)
	}
	schedule := optim.Cosine{Warmup: optim.Warmup{Steps: 10}}
	const steps, epochs = 50, 4
	for done := range steps * epochs {
		for i, minimum := range []float32{1, -2} { // ½‖w - minimum‖²
			w.Grad[i] += w.Value[i] - minimum
		}
		optim.ClipNorm(params, 1)
		sgd.Move(optim.Move{Rate: 0.1 * schedule.Factor(done, steps, epochs), Scale: 1})
		ema.Update()
	}
	ema.Swap()
	fmt.Printf("%.3f after %d steps\n", w.Value, sgd.Steps())
	ema.Swap() // and training could go on
	// Output: [1.000 -2.000] after 200 steps
}

// Points of the ball next to flat params: one optimiser moves both.
func ExampleRiemannianAdamOptions() {
	const c = 1
	x, bias := optim.NewParam("points", "", 2, 2), optim.NewParam("bias", "", 1)
	x.Ball = c
	copy(x.Value, []float32{0.5, 0, 0, -0.9})
	adam, err := optim.RiemannianAdamOptions{}.Make([]*optim.Param{x, bias}, optim.Common{})
	if err != nil {
		log.Fatal(err)
	}
	target := []float64{-0.3, 0.6}
	for step := range 300 {
		for row := range 2 { // squared distances to target
			p, g := make([]float64, 2), make([]float64, 2)
			for i := range p {
				p[i] = float64(x.Value[2*row+i])
			}
			poincare.DistanceGrad(g, nil, p, target, c, 2*poincare.Distance(p, target, c))
			for i := range g {
				x.Grad[2*row+i] += float32(g[i])
			}
		}
		bias.Grad[0] += bias.Value[0] - 3
		adam.Move(optim.Move{Rate: 0.1 * optim.Cosine{}.Factor(step, 300, 1), Scale: 1})
	}
	fmt.Printf("%.2f %.2f\n", x.Value, bias.Value)
	// Output: [-0.30 0.60 -0.30 0.60] [3.00]
}

func ExampleCosine() {
	s := optim.Cosine{Floor: 0.1, Warmup: optim.Warmup{Epochs: 1}}
	for epoch := range 6 {
		fmt.Printf("%.3f ", s.Factor(epoch*100, 100, 5))
	}
	fmt.Println()
	// Output: 0.010 1.000 0.868 0.550 0.232 0.100
}

// What a checkpoint keeps of an optimiser: its recipe by name and options, the
// steps, and the arrays of its State.
func ExampleDecode() {
	recipe, err := optim.Decode("sgd", []byte(`{"Momentum": 0.9}`))
	if err != nil {
		log.Fatal(err)
	}
	w := optim.NewParam("trunk.0.weight", "trunk", 3, 4)
	o, err := recipe.Make([]*optim.Param{w}, optim.Common{})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range o.State() {
		fmt.Println(recipe.Name(), s.Name, len(s.Value))
	}
	// Output: sgd trunk.0.weight/b 12
}
