package model

import (
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/vmath"
)

// lanes are the partial gradients of params, one lane for a fixed share of the
// batch. There are as many for a batch of n whatever the number of processors,
// and they are added up in order, so a gradient is the same to the last bit.
type lanes [][]float32

const maxLanes = 16

// reset returns the lanes for n items, each with size zeros.
func (l lanes) reset(n, size int) lanes {
	for len(l) < min(n, maxLanes) {
		l = append(l, nil)
	}
	l = l[:min(n, maxLanes)]
	for i := range l {
		l[i] = resized(l[i], size)
		clear(l[i])
	}
	return l
}

// share is the range of items of a lane.
func (l lanes) share(lane, n int) (lo, hi int) {
	return lane * n / len(l), (lane + 1) * n / len(l)
}

// addTo adds all lanes to the gradients of params, which lie in a lane one
// after the other.
func (l lanes) addTo(params ...*optim.Param) {
	at := 0
	for _, p := range params {
		for _, lane := range l {
			add(p.Grad, lane[at:at+len(p.Grad)])
		}
		at += len(p.Grad)
	}
}

// add adds x to sum.
func add(sum, x []float32) { vmath.Add(sum, sum, x) }
