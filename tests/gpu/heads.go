package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// normal is n numbers of deviation scale.
func normal(rng *rand.Rand, n int, scale float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64()) * scale
	}
	return x
}

// benchHeads times epochs of heads on features that lie on the device.
func benchHeads(d *cuda.Device) error {
	rng := rand.New(rand.NewPCG(1, 2))
	l := loss.NewCHEST(classes, dim, dim, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: proxies}, Seed: 1})
	head := func(name string) cuda.Head {
		h := cuda.Head{Weight: optim.NewParam(name+".weight", "head", dim, inputs), Bias: optim.NewParam(name+".bias", "head", dim)}
		h.Weight.Value, h.Bias.Plain = normal(rng, dim*inputs, 0.05), true
		return h
	}
	x := cuda.Features{X: normal(rng, items*inputs, 1), D: inputs}
	for range items {
		x.Label = append(x.Label, rng.IntN(classes))
	}
	t, err := cuda.NewHeadTrainer(l, head("E"), head("H"), x, cuda.HeadOptions{MaxNorm: 10}, d)
	if err != nil {
		return err
	}
	defer t.Close()
	steps := items / batch
	var times []float64
	var first, last float64
	for epoch := range 6 {
		order := rng.Perm(items)
		var batches [][]int
		var moves []optim.Move
		for b := range slices.Chunk(order[:steps*batch], batch) {
			batches, moves = append(batches, b), append(moves, optim.Move{Rate: 1e-3, Scale: 1})
		}
		begin := time.Now()
		done, err := t.Steps(context.Background(), batches, moves, func(step int) *rand.Rand { return rand.New(rand.NewPCG(uint64(epoch), uint64(step))) })
		if err != nil {
			return err
		}
		times = append(times, ms(time.Since(begin)))
		if epoch == 0 {
			first = done[0].Loss.Total
		}
		last = done[steps-1].Loss.Total
	}
	times = times[1:]
	slices.Sort(times)
	fmt.Printf("RESULT chest heads on features on the device, %s: median %.1f ms an epoch of %d steps, %.3f ms a step; loss %.3f to %.3f\n",
		d.Products(), times[len(times)/2], steps, times[len(times)/2]/float64(steps), first, last)
	if !(last < first) {
		return fmt.Errorf("the loss does not fall")
	}
	return nil
}

// benchRanks times the ranks for Recall@K.
func benchRanks(d *cuda.Device) error {
	rng := rand.New(rand.NewPCG(3, 4))
	x := cuda.Items{X: normal(rng, tests*dim, 0.01)}
	for i := range tests {
		x.Label = append(x.Label, i/5)
	}
	for _, ball := range []bool{false, true} {
		var took []float64
		hits := 0
		for range 3 {
			begin := time.Now()
			ranks, err := d.Ranks(context.Background(), x, nil, cuda.RankOptions{D: dim, Ball: ball, Curvature: 0.1})
			if err != nil {
				return err
			}
			took = append(took, ms(time.Since(begin)))
			hits = 0
			for _, r := range ranks {
				if r >= 1 && r <= 100 {
					hits++
				}
			}
		}
		fmt.Printf("RESULT chest ranks of %d items, ball %v, %s: best of 3 %.0f ms with the upload; Recall@100 of noise %.4f\n", tests, ball, d.Products(), slices.Min(took), float64(hits)/float64(tests))
	}
	return nil
}
