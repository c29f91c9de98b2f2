package loss

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBaselineEdges: terms and gradients are numbers where formulas divide by
// zero or leave float64.
func TestBaselineEdges(t *testing.T) {
	fill := func(x []float32, v float32) {
		for i := range x {
			x[i] = v
		}
	}
	plain := Setting{Classes: 3, DE: 4, DH: 4, Curvature: 0.1, Clip: 2.3}
	for _, e := range []struct {
		name   string
		s      Setting
		label  []int
		change func(l Loss, u []float32)
	}{
		{"plain", plain, []int{0, 1, 2, 0, 1}, nil},
		{"one class in the batch", plain, []int{1, 1, 1}, nil},
		{"one row a class", plain, []int{2, 0, 1}, nil},
		{"one class of all", Setting{Classes: 1, DE: 4, DH: 4, Clip: 2.3, Curvature: 0.1}, []int{0, 0}, nil},
		{"classes that are absent", Setting{Classes: 500, DE: 4, DH: 4, Clip: 2.3, Curvature: 0.1}, []int{499, 3, 499}, nil},
		{"no rows", plain, nil, nil},
		{"one row", plain, []int{1}, nil},
		{"one dimension", Setting{Classes: 3, DE: 1, DH: 1, Curvature: 0.1, Clip: 2.3}, []int{0, 0, 1, 2}, nil},
		{"two dimensions", Setting{Classes: 3, DE: 2, DH: 2, Curvature: 0.1, Clip: 2.3}, []int{0, 0, 1, 2}, nil},
		{"coincident", plain, []int{0, 0, 1, 1}, func(l Loss, u []float32) {
			fill(u, 0.5)
			for _, p := range l.Params() {
				fill(p.Value, 0.5)
			}
		}},
		{"opposite", plain, []int{0, 0, 1, 1}, func(l Loss, u []float32) {
			fill(u[:8], 0.5)
			fill(u[8:], -0.5)
		}},
		{"zero features", plain, []int{0, 0, 1, 1}, func(_ Loss, u []float32) { fill(u, 0) }},
		{"zero proxies", plain, []int{0, 0, 1, 1}, func(l Loss, _ []float32) {
			for _, p := range l.Params() {
				fill(p.Value, 0)
			}
		}},
		{"all at the clip radius", plain, []int{0, 0, 1, 1}, func(l Loss, u []float32) {
			for i := range u {
				u[i] *= 1e6
			}
			for _, p := range l.Params() {
				for i := range p.Value {
					p.Value[i] *= 1e6
				}
			}
		}},
		{"no clip, huge", Setting{Classes: 3, DE: 4, DH: 4, Curvature: 1, Clip: -1}, []int{0, 0, 1, 1}, func(_ Loss, u []float32) { fill(u, 1e18) }},
		{"no clip, to the boundary", Setting{Classes: 3, DE: 4, DH: 4, Curvature: 1, Clip: -1}, []int{0, 0, 1, 1}, func(_ Loss, u []float32) {
			for i := range u {
				u[i] *= 1e6
			}
		}},
		{"tiny", plain, []int{0, 0, 1, 1}, func(_ Loss, u []float32) { fill(u, 1e-20) }},
		{"flat", Setting{Classes: 3, DE: 4, DH: 4, Clip: 2.3}, []int{0, 0, 1, 1}, nil},
		{"almost flat", Setting{Classes: 3, DE: 4, DH: 4, Clip: 2.3, Curvature: 1e-300}, []int{0, 0, 1, 1}, nil},
	} {
		recipes := []Recipe{HIEROptions{Ancestors: 9, Triplets: 3, Neighbours: 2}, HIEROptions{Ancestors: 1}, HIEROptions{Ancestors: 40, Temperature: 1e-9, Margin: 1e6}}
		for _, g := range geometries {
			for _, k := range baselines(g) {
				recipes = append(recipes, k.usual, k.cold)
			}
		}
		for _, r := range recipes {
			l := made(t, r, e.s)
			b := random(rand.New(rand.NewPCG(23, 0)), e.s, len(e.label))
			b.Label = e.label
			u, gu := inUse(l, b)
			if e.change != nil {
				e.change(l, u)
			}
			got := l.Add(b, 1)
			if math.IsNaN(got.Total) || math.IsInf(got.Total, 0) || math.IsNaN(got.Clipped) {
				t.Errorf("%s: %s %+v: %+v", e.name, r.Name(), r, got)
			}
			all := slices.Clone(gu)
			for _, p := range l.Params() {
				all = append(all, p.Grad...)
			}
			if !finite(all) {
				t.Errorf("%s: %s %+v: gradients %v", e.name, r.Name(), r, all)
			}
		}
	}
}

// TestNoPairs: a batch without any pair, triplet or, where both kinds are
// needed, without one of them, has loss 0 and no gradient.
func TestNoPairs(t *testing.T) {
	s := Setting{Classes: 4, DE: 3, DH: 3, Curvature: 0.1, Clip: 2.3}
	for _, g := range geometries {
		for _, k := range []struct {
			r      Recipe
			labels [][]int
		}{
			{MultiSimilarityOptions{Geometry: g}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{PairCrossEntropyOptions{Geometry: g}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{SupConOptions{Geometry: g}, [][]int{nil, {1}, {2, 2}, {0, 1, 2}}},
			{TripletOptions{Geometry: g}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{TripletOptions{Geometry: g, Miner: Hard}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{ContrastiveOptions{Geometry: g}, [][]int{nil, {1}}},
			{ContrastiveOptions{Geometry: g, Miner: SemiHard}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{ProxyNCAOptions{Geometry: g}, [][]int{nil}},
			{ProxyAnchorOptions{Geometry: g}, [][]int{nil}},
			{HIEROptions{Ancestors: 1}, [][]int{nil, {1}, {2, 2, 2}}},
		} {
			for _, label := range k.labels {
				l := made(t, k.r, s)
				b := random(rand.New(rand.NewPCG(24, 0)), s, len(label))
				b.Label = label
				_, gu := inUse(l, b)
				if got := l.Add(b, 1); got.Total != 0 {
					t.Errorf("%s of %v: %+v, want 0", k.r.Name(), label, got)
				}
				for _, p := range l.Params() {
					gu = slices.Concat(gu, p.Grad)
				}
				if slices.ContainsFunc(gu, func(v float32) bool { return v != 0 }) {
					t.Errorf("%s of %v: gradient %v, want 0", k.r.Name(), label, gu)
				}
			}
		}
	}
}

// TestBaselineNaN: a feature that is not a number shows in the terms instead
// of panicking.
func TestBaselineNaN(t *testing.T) {
	s := Setting{Classes: 2, DE: 2, DH: 2, Curvature: 0.1, Clip: 2.3}
	recipes := []Recipe{HIEROptions{Ancestors: 6, Neighbours: 3}}
	for _, g := range geometries {
		for _, k := range baselines(g) {
			recipes = append(recipes, k.usual)
		}
	}
	for _, r := range recipes {
		b := random(rand.New(rand.NewPCG(28, 0)), s, 5)
		b.Label = []int{0, 0, 1, 1, 1}
		nan := float32(math.NaN())
		for i := range b.E {
			b.E[i], b.H[i] = nan, nan
		}
		if got := made(t, r, s).Add(b, 1); !math.IsNaN(got.Total) {
			t.Errorf("%s %+v: terms %+v of NaN features", r.Name(), r, got)
		}
	}
}
