package cuda

import (
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// step queues a step on the rows that lie in u of the spaces and in label. Sums
// of what it finds are asked for, those of squared norms last. more adds the gradient by the proxies to what there is.
func (e *Engine) step(train, more bool) error {
	set := e.d.set
	e.sums.begin()
	for _, s := range e.spaces {
		if err := e.forward(set, s); err != nil {
			return err
		}
	}
	if e.tree != nil {
		if err := e.tree.queue(set, &e.sums); err != nil {
			return err
		}
	}
	for _, s := range e.spaces {
		s.normSum = 0
	}
	if train {
		for _, s := range e.spaces {
			if err := e.backward(set, s, more); err != nil {
				return err
			}
		}
		for _, s := range e.spaces {
			s.normSum = e.sums.add(s.norm.at, s.columns())
		}
	}
	return nil
}

// forward queues points, similarities, the loss of each row and the merging term.
func (e *Engine) forward(set *kernels.Set, s *space) error {
	n := e.rows
	chart := s.chart
	chart.Round = set.BLAS() != nil && set.BLAS().TF32
	if err := set.ChartRows(chart, s.u.at, n, s.d, s.x.all()); err != nil {
		return err
	}
	if !s.mapped {
		if s.free {
			chart.R = infinite
		}
		if err := set.ChartRows(chart, s.t.w.at, s.columns(), s.d, s.p.all()); err != nil {
			return err
		}
		s.mapped = true
	}
	if err := set.Gemm(kernels.Product{Form: kernels.NT, A: s.x.x.at, B: s.p.x.at, C: s.s.at, M: n, N: s.columns(), K: s.d, Alpha: 1}); err != nil {
		return err
	}
	a := s.assign(n)
	a.Label = e.label.at
	if err := set.AssignForward(a); err != nil {
		return err
	}
	s.lossSum, s.clippedSum, s.mergeSum = e.sums.add(s.loss.at, n), 0, 0
	if s.ball {
		s.clippedSum = e.sums.add(s.x.clipped.at, n)
	}
	if !s.merges() {
		return nil
	}
	scale := s.tau / float64(s.classes*s.k*(s.k-1))
	m := kernels.Merge{P: s.p.x.at, Room: s.p.room.at, Classes: s.classes, Proxies: s.k, D: s.d, Sphere: !s.ball, C: s.chart.C,
		Scale: scale, Weight: s.weight * scale, Coef: s.coef.at, Diag: s.diag.at, Value: s.pair.at}
	s.mergeSum = e.sums.add(s.pair.at, m.Pairs())
	return set.MergePairs(m)
}

// backward queues the gradients by the rows and by the proxies.
func (e *Engine) backward(set *kernels.Set, s *space, more bool) error {
	n := e.rows
	a := s.assign(n)
	a.Label = e.label.at
	if err := set.AssignBackward(a); err != nil {
		return err
	}
	sign, parts, chunks := float32(1), 0, 0
	if s.ball {
		sign, parts, chunks = -1, a.Parts(), a.Chunks()
	}
	splits, gp := s.splitsP(set, n), s.t.grad.at
	if more || splits > 1 { // else the product goes where the gradient goes
		if err := e.memory.fit(&s.gp, 4*splits*s.size()); err != nil {
			return err
		}
		gp = s.gp.at
	}
	if err := set.Gemm(kernels.Product{Form: kernels.TN, A: s.s.at, B: s.x.x.at, C: gp, M: s.columns(), N: s.d, K: n, Alpha: sign, Splits: splits}); err != nil {
		return err
	}
	if s.ball && e.tree != nil {
		if err := e.tree.scatter(set, gp); err != nil {
			return err
		}
	}
	f := kernels.Finish{Dst: s.t.grad.at, Add: more, U: s.t.w.at, X: s.p.x.at, G: gp, Splits: splits, N: s.columns(), D: s.d, Alpha: s.p.alpha.at, Beta: s.p.beta.at,
		W: s.colW.at, V: s.colV.at, Parts: chunks, Room: s.p.room.at, C: s.chart.C, K: s.k, Norm: s.norm.at}
	if s.merges() {
		f.Coef, f.Diag = s.coef.at, s.diag.at
	}
	if err := set.FinishRows(f); err != nil {
		return err
	}
	splits = s.splitsX(set, n)
	if err := set.Gemm(kernels.Product{Form: kernels.NN, A: s.s.at, B: s.p.x.at, C: s.gx.at, M: n, N: s.d, K: s.columns(), Alpha: sign, Splits: splits}); err != nil {
		return err
	}
	return set.FinishRows(kernels.Finish{Dst: s.gu.at, U: s.u.at, X: s.x.x.at, G: s.gx.at, Splits: splits, N: n, D: s.d, Alpha: s.x.alpha.at, Beta: s.x.beta.at,
		W: s.rowW.at, V: s.rowV.at, Parts: parts, Room: s.x.room.at, C: s.chart.C, Coef: driver.Memory{}, K: 1})
}
