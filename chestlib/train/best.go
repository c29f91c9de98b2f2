package train

import (
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/internal/safetensors"
)

// best is the epoch that measured best on Options.Watch, for Options.Patience.
type best struct {
	Epoch   int     // 0: none was measured
	Score   float64 // MAP@R, the mean over the spaces that are trained
	Since   int     // measurements after it
	Stopped bool    // the training is at its end

	weights []safetensors.Tensor // of model and loss, a copy
}

// judge looks whether e is the best epoch so far. When Options.Patience is at
// its end it puts the best one's weights back.
func (t *Trainer) judge(e Epoch) {
	if t.o.Patience == 0 || !e.Watched {
		return
	}
	score := e.score(t.Loss.Uses())
	if t.best.Epoch == 0 || score > t.best.Score {
		t.best = best{Epoch: e.Number, Score: score, weights: copied(t.best.weights, t.weights())}
		return
	}
	if t.best.Since++; t.best.Since >= t.o.Patience {
		t.best.Stopped = true
		for i, w := range t.weights() {
			copy(w.F32, t.best.weights[i].F32)
		}
	}
}

// score is the mean MAP@R of the spaces of s.
func (e Epoch) score(s loss.Space) float64 {
	switch s {
	case loss.OnlyE:
		return e.E.MAPR
	case loss.OnlyH:
		return e.H.MAPR
	}
	return (e.E.MAPR + e.H.MAPR) / 2
}

// weights are the arrays that training changes, less the optimisers'.
func (t *Trainer) weights() []safetensors.Tensor {
	all := t.Model.Tensors()
	for _, p := range t.engine.Params() {
		all = append(all, safetensors.Tensor{Name: "loss/" + p.Name, Shape: p.Shape, F32: p.Value})
	}
	return all
}

// copied writes the tensors as "best/NAME" into the memory of dst, if there is any.
func copied(dst, tensors []safetensors.Tensor) []safetensors.Tensor {
	if dst == nil {
		for _, w := range tensors {
			dst = append(dst, safetensors.Tensor{Name: "best/" + w.Name, Shape: w.Shape, F32: make([]float32, len(w.F32))})
		}
	}
	for i, w := range tensors {
		copy(dst[i].F32, w.F32)
	}
	return dst
}
