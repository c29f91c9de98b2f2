package selftest

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/hyphc"
)

func treeCases() (all []Case) {
	for _, s := range []struct {
		triplets, leaves, d, dl int
		c                       float64
		aware                   bool
	}{{1, 3, 2, 2, 0.1, false}, {50, 9, 33, 17, 0.1, true}, {300, 40, 31, 257, 1, false}, {20, 8, 5, 4, 0, false}} {
		all = append(all, Case{
			Name:  fmt.Sprintf("tree, %d triplets of %d leaves, d %d and %d, c %g", s.triplets, s.leaves, s.d, s.dl, s.c),
			Quick: s.triplets == 50,
			run:   func(b *bed) { tree(b, s.triplets, s.leaves, s.d, s.dl, s.c, s.aware) },
		})
	}
	return all
}

// tree compares with package hyphc. Leaves 0 and 1 are equal, 2 is the origin.
func tree(b *bed, n, leaves, d, dl int, c float64, aware bool) {
	const k, temperature, scale = 2, 0.3, 0.01
	p, like := b.inBall(leaves, d, c), b.random(leaves*dl, 1)
	if leaves > 3 {
		copy(p[d:2*d], p[:d])
		clear(p[2*d : 3*d])
		clear(like[:dl])
	}
	P, room := b.given(p, d, c)
	var triplets []int32
	for range n {
		i := b.rng.IntN(leaves - 2)
		j := i + 1 + b.rng.IntN(leaves-i-2)
		triplets = append(triplets, int32(i), int32(j), int32(j+1+b.rng.IntN(leaves-j-1)))
	}
	leaf, start, entry := segments(triplets)
	t := kernels.Tree{Triplets: b.ints(triplets), N: n, P: P.X, Room: P.Room, D: d, C: c, Like: b.floats(like), DLike: dl, Proxies: k, Aware: aware,
		Temperature: temperature, Scale: scale, Depth: b.room(24 * n), W: b.room(24 * n), Grad: b.room(96 * n), Loss: b.room(8 * n)}
	G := b.random(leaves*d, 1e-3)
	dG := b.floats(G)
	dLeaf, dStart, dEntry := b.ints(leaf), b.ints(start), b.ints(entry)
	if b.err != nil {
		return
	}
	b.do(b.s.TreeLoss(t))
	b.do(b.s.TreeScatter(t, dLeaf, dStart, dEntry, len(leaf), dG))

	want, loss := widened(G), make([]float64, n)
	row := func(x []float32, i int32, d int) []float32 { return x[int(i)*d : (int(i)+1)*d] }
	for i := range n {
		var dots [3]hyphc.Dots
		var depth, w [3]float64
		pairs := [3][2]int32{{triplets[3*i], triplets[3*i+1]}, {triplets[3*i], triplets[3*i+2]}, {triplets[3*i+1], triplets[3*i+2]}}
		for m, pair := range pairs {
			x, y := row(p, pair[0], d), row(p, pair[1], d)
			dots[m] = hyphc.Dots{AA: dot(x, x), BB: dot(y, y), AB: dot(x, y), DD: squared(x, y), RoomA: room[pair[0]], RoomB: room[pair[1]], C: c}
			depth[m] = dots[m].LCA()
			lx, ly := row(like, pair[0], dl), row(like, pair[1], dl)
			w[m] = hyphc.SimilarityOf(dot(lx, lx), dot(ly, ly), dot(lx, ly))
			if aware && pair[0]/k == pair[1]/k {
				w[m] = 1
			}
		}
		var g [3]float64
		loss[i], g = hyphc.TripletLoss(depth, w, temperature)
		for m, pair := range pairs {
			aa, ab, ba, bb := dots[m].Grad()
			for t := range d {
				x, y := float64(row(p, pair[0], d)[t]), float64(row(p, pair[1], d)[t])
				want[int(pair[0])*d+t] += scale * g[m] * (aa*x + ab*y)
				want[int(pair[1])*d+t] += scale * g[m] * (ba*x + bb*y)
			}
		}
	}
	b.nearDoubles("loss", b.getDoubles(t.Loss, n), loss, 1e-6)
	b.near("gradient", b.getFloats(dG, leaves*d), want, 1e-5)
}

// segments sorts the ends of all pairs of triplets by leaf, for
// kernels.Set.TreeScatter.
func segments(triplets []int32) (leaf, start, entry []int32) {
	byLeaf := map[int32][]int32{}
	most := int32(-1)
	for t := 0; t < len(triplets); t += 3 {
		for m, pair := range [3][2]int{{0, 1}, {0, 2}, {1, 2}} {
			for side, at := range pair {
				l := triplets[t+at]
				byLeaf[l] = append(byLeaf[l], int32((t+m)*2+side))
				most = max(most, l)
			}
		}
	}
	for l := range most + 1 {
		if list := byLeaf[l]; len(list) > 0 {
			leaf, start, entry = append(leaf, l), append(start, int32(len(entry))), append(entry, list...)
		}
	}
	return leaf, append(start, int32(len(entry))), entry
}
