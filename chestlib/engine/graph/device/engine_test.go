package device_test

import (
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/enginetest"
	"github.com/chestlab/chest/chestlib/engine/graph/device"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// graphed is the loss of a Net as an engine, for the suite of all engines: features are
// uploaded into the graph, their gradients come back by it. The graph is made for the
// rows of the first batch.
type graphed struct {
	*cuda.Engine
	net     *device.Net
	vm      G.VM
	u, g    [2]*G.Node
	d       [2]int
	rows    int
	classes int
	open    func(e *graphed, rows int) error
	ran     bool
}

func newGraphed(t *testing.T, l *loss.CHEST, o engine.Options, d *cuda.Device) *graphed {
	e := &graphed{}
	if s := l.Euclidean(); s != nil {
		e.d[0], e.classes = s.Proxies().Shape[1], s.Proxies().Shape[0]/s.Options().Proxies
	}
	if s := l.Hyperbolic(); s != nil {
		e.d[1], e.classes = s.Proxies().Shape[1], s.Proxies().Shape[0]/s.Options().Proxies
	}
	e.open = func(e *graphed, rows int) error {
		e.rows = rows
		g := G.NewGraph()
		e.net = device.New(g, d)
		t.Cleanup(func() {
			if err := e.net.Close(); err != nil {
				t.Error(err)
			}
		})
		return e.build(g, l, o)
	}
	return e
}

// build makes the graph.
func (e *graphed) build(g *G.ExprGraph, l *loss.CHEST, o engine.Options) error {
	var up [2]*G.Node
	var wrt G.Nodes
	for i, name := range []string{"uE", "uH"} {
		if e.d[i] > 0 {
			e.u[i] = G.NewMatrix(g, tensor.Float32, G.WithShape(e.rows, e.d[i]), G.WithName(name))
			up[i], wrt = must(e.net.Upload(e.u[i])), append(wrt, e.u[i])
		}
	}
	node, err := e.net.Loss(up[0], up[1], l, o)
	if err != nil {
		return err
	}
	grads, err := G.Grad(node, wrt...)
	if err != nil {
		return err
	}
	for i := range e.u {
		if e.u[i] != nil {
			e.g[i], grads = grads[0], grads[1:]
		}
	}
	e.Engine = e.net.Engine()
	e.vm, err = e.net.Machine()
	return err
}

// Loss implements engine.Engine by a run of the graph.
func (e *graphed) Loss(b loss.Batch, more bool) (loss.Terms, error) {
	if err := engine.Check(b, e.d[0], e.d[1], e.classes); err != nil {
		return loss.Terms{}, err
	}
	if e.vm == nil {
		if err := e.open(e, max(len(b.Label), 1)); err != nil {
			return loss.Terms{}, err
		}
	}
	if len(b.Label) == 0 { // no matrix of Gorgonia's
		return e.Engine.Loss(b, more)
	}
	defer e.vm.Reset()
	for i, u := range [][]float32{b.E, b.H} {
		if e.u[i] == nil {
			continue
		}
		if err := G.Let(e.u[i], tensor.New(tensor.WithShape(e.rows, e.d[i]), tensor.WithBacking(u))); err != nil {
			return loss.Terms{}, err
		}
	}
	if more && e.ran {
		if err := e.net.More(); err != nil {
			return loss.Terms{}, err
		}
	}
	values := b.GE == nil && b.GH == nil
	e.net.ForEngine(values)
	e.net.Label(b.Label, b.Rand)
	if err := e.vm.RunAll(); err != nil {
		return loss.Terms{}, err
	}
	for i, g := range [][]float32{b.GE, b.GH} {
		clear(g)
		if !values && e.g[i] != nil {
			copy(g, e.g[i].Value().Data().([]float32))
		}
	}
	e.ran = true
	return e.net.Terms(), nil
}

// Update implements engine.Engine.
func (e *graphed) Update(m optim.Move) error { return e.net.Update(m) }

// TestEngine runs the suite of all engines on the loss of a Net, without the problems
// of more proxies than the fake driver likes, and those that have no kernels.
func TestEngine(t *testing.T) {
	gpu, _ := fakeGPU(t)
	t.Cleanup(func() {
		if err := gpu.Close(); err != nil {
			t.Error(err)
		}
	})
	enginetest.RunWithout(t, func(t *testing.T, l *loss.CHEST, adam optim.AdamWOptions) engine.Engine {
		return newGraphed(t, l, engine.Options{Optim: adam}, gpu)
	}, 300, func(t *testing.T, l *loss.CHEST) bool {
		e, err := cuda.New(l, engine.Options{}, gpu)
		if err == nil {
			err = e.Close()
		} else if strings.Contains(err.Error(), "not there on the GPU") { // package cuda tests which ones should be
			return true
		}
		if err != nil {
			t.Error(err)
		}
		return false
	})
}

// TestLost: a context that is lost is an error of the run, of Update and of Close, not
// a panic.
func TestLost(t *testing.T) {
	gpu, path := fakeGPU(t)
	n := newTask("mlp", loss.Both).net(gpu)
	n.run(t, 2, n.chest, func() {})
	vm := must(n.Machine())
	defer vm.Close()
	set(t, path, "cuLaunchKernel:3:719")
	n.Batch(batch(2))
	for name, err := range map[string]error{"run": vm.RunAll(), "Update": n.Update(optim.Move{Rate: 1, Scale: 1}), "Sync": n.Sync(), "Close": gpu.Close()} {
		if err == nil || !strings.Contains(err.Error(), "context is lost") {
			t.Errorf("%s: %v", name, err)
		}
	}
	set(t, path, "")
}
