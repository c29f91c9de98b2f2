package cuda

import (
	"errors"
	"fmt"
	"slices"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Head is a linear map y = W x + b of frozen features: Weight is D×Din, Bias D.
type Head struct{ Weight, Bias *optim.Param }

// Features are what heads are trained on: len(Label)×D, row-major. They go to
// the device once.
type Features struct {
	X     []float32
	Label []int
	D     int
}

// HeadTrainer trains linear heads and the proxies of CHEST, and a trunk of simple
// layers below the heads if there is one, on features that lie
// on the device. A step gathers its batch, and goes from there to AdamW,
// without the processor, which says only which rows and triplets there are: for
// many steps at once. The steps of a call after the first are replayed as a CUDA
// graph, where the driver has that.
//
// Memory on the device: that of an Engine and of the features; with a trunk two
// numbers for each result of a layer, and four for each weight.
type HeadTrainer struct {
	e      *Engine
	heads  []*head  // in the order of e.spaces
	trunk  []*layer // below the heads
	width  int      // of what the heads see
	d      int      // of the features
	labels []int    // of the features
	most   float64  // norm of the gradient

	store, classes        piece // features and labels
	f                     piece // of the batch
	index, draws, numbers piece // of all steps
	history, now          piece
	graph                 *driver.Graph
	graphless             bool // the driver has none
	recorded              recording
	norms                 int // place of the first squared norm in the sums
}

// head is one of them on the device.
type head struct {
	s            *space
	weight, bias *tensor
	parts        piece // of the product for the gradient
	wNorm, bNorm piece
}

// recording is what a graph is good for: sizes and addresses.
type recording struct {
	rows                                      int
	index, draws, numbers, history, gp, gx, f uint64
}

// HeadOptions controls NewHeadTrainer.
type HeadOptions struct {
	Engine  engine.Options
	MaxNorm float64 // the norm of the whole gradient is clipped to this; 0 means never
	Trunk   []Layer // from the features to the heads; none: the heads see the features
}

// NewHeadTrainer makes a trainer of the heads of the spaces in use. The other may
// be empty; if it is not, its gradient is 0, and weight decay moves it. Shapes that do not fit are an error, as are options that the
// GPU does not have: triplets that are not uniform, annealing, another optimiser
// than AdamW.
func NewHeadTrainer(l *loss.CHEST, e, h Head, x Features, o HeadOptions, d *Device) (*HeadTrainer, error) {
	t := &HeadTrainer{d: x.D, labels: x.Label, most: o.MaxNorm}
	var params, idle []*optim.Param
	var names []string
	for _, v := range []struct {
		name string
		used bool
		h    Head
	}{{"E", l.Euclidean() != nil, e}, {"H", l.Hyperbolic() != nil, h}} {
		if v.used {
			params, names = append(params, v.h.Weight, v.h.Bias), append(names, v.name)
		} else if v.h.Weight != nil && v.h.Bias != nil {
			idle = append(idle, v.h.Weight, v.h.Bias)
		}
	}
	if tree := l.Tree(); tree != nil && (tree.Options().Sampling != loss.UniformTriplets || tree.Options().Anneal != 1) {
		return nil, errors.New("cuda: HeadTrainer: a tree with another Sampling than uniform, or with Anneal, is not there on the GPU's trainer; use an Engine")
	}
	if x.D < 1 || len(x.X) != len(x.Label)*x.D {
		return nil, fmt.Errorf("cuda: HeadTrainer: %d features for %d labels, want %d×%d", len(x.X), len(x.Label), len(x.Label), x.D)
	}
	for i, p := range params {
		if p == nil {
			return nil, fmt.Errorf("cuda: HeadTrainer: the head %s has no weight or bias", names[i/2])
		}
	}
	below, err := trunkParams(o.Trunk)
	if err != nil {
		return nil, err
	}
	if t.e, err = newEngine(l, slices.Concat(params, below, idle), o.Engine, d); err != nil {
		return nil, err
	}
	own := t.e.adam.tensors[len(t.e.params):]
	if t.trunk, t.width, err = newTrunk(o.Trunk, x.D, own[len(params):]); err == nil {
		err = t.bind(names, own)
	}
	if err == nil {
		err = d.set.Do(func() error { return errors.Join(t.load(x), t.clearIdle(len(idle))) })
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// clearIdle clears the gradients of the last n tensors: nothing else does.
func (t *HeadTrainer) clearIdle(n int) error {
	all := t.e.adam.tensors
	for _, i := range all[len(all)-n:] {
		if err := t.e.d.set.Clear(i.grad.at, 4*i.size()); err != nil {
			return err
		}
	}
	return nil
}

// bind finds the heads' tensors and checks their shapes.
func (t *HeadTrainer) bind(names []string, own []*tensor) error {
	for i, s := range t.e.spaces {
		h := &head{s: s, weight: own[2*i], bias: own[2*i+1]}
		if h.weight.size() != s.d*t.width || h.bias.size() != s.d {
			return fmt.Errorf("cuda: HeadTrainer: the head %s has %d weights and %d biases, want %d×%d and %d", names[i], h.weight.size(), h.bias.size(), s.d, t.width, s.d)
		}
		t.heads = append(t.heads, h)
	}
	return nil
}

// load uploads the features.
func (t *HeadTrainer) load(x Features) error {
	labels := make([]int32, len(x.Label))
	for i, l := range x.Label {
		if l < 0 || l >= t.e.classes {
			return fmt.Errorf("cuda: HeadTrainer: label %d of row %d, want one in [0, %d)", l, i, t.e.classes)
		}
		labels[i] = int32(l)
	}
	m := &t.e.memory
	if err := m.fits(&t.store, 4*len(x.X), &t.classes, 4*len(labels), &t.now, 4); err != nil {
		return err
	}
	return errors.Join(m.d.UploadFloats(t.store.at, x.X), m.d.UploadInts(t.classes.at, labels))
}

// Close frees the memory on the device.
func (t *HeadTrainer) Close() error {
	err := t.e.d.set.Do(func() error { return t.forget() })
	return errors.Join(err, t.e.Close())
}

// forget frees the graph.
func (t *HeadTrainer) forget() error {
	if t.graph == nil {
		return nil
	}
	g := t.graph
	t.graph = nil
	return t.e.d.set.FreeGraph(g)
}

// Params are the proxies and the heads', with the values of the last Sync.
func (t *HeadTrainer) Params() []*optim.Param {
	var all []*optim.Param
	for _, p := range t.e.adam.tensors {
		all = append(all, p.param)
	}
	return all
}

// Sync brings the values of Params and the optimiser's State up to date.
func (t *HeadTrainer) Sync() error { return t.e.Sync() }

// Optimizer is what moves Params; see Engine.Optimizer.
func (t *HeadTrainer) Optimizer() optim.Optimizer { return t.e.Optimizer() }
