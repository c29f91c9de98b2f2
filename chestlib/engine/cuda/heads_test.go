package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// task is heads, proxies and features of a small problem, the same in each call.
type task struct {
	l    *loss.CHEST
	e, h cuda.Head
	x    cuda.Features
}

const (
	taskRows, taskClasses, taskDim, taskIn = 50, 12, 9, 21
)

func newTask(o loss.CHESTOptions) task {
	rng := rand.New(rand.NewPCG(5, 6))
	random := func(p *optim.Param, scale float64) *optim.Param {
		for i := range p.Value {
			p.Value[i] = float32(rng.NormFloat64() * scale)
		}
		return p
	}
	head := func(name string) cuda.Head {
		b := random(optim.NewParam(name+".bias", "head", taskDim), 0.1)
		b.Plain = true
		return cuda.Head{Weight: random(optim.NewParam(name+".weight", "head", taskDim, taskIn), 0.2), Bias: b}
	}
	o.E.Proxies, o.Tree.Triplets, o.Seed = 2, 30, 3
	k := task{l: loss.NewCHEST(taskClasses, taskDim, taskDim, o), e: head("E"), h: head("H")}
	k.x = cuda.Features{X: random(optim.NewParam("", "", taskRows, taskIn), 1).Value, D: taskIn}
	for range taskRows {
		k.x.Label = append(k.x.Label, rng.IntN(taskClasses))
	}
	return k
}

// schedule is batches and moves of n steps.
func schedule(n, rows int) (batches [][]int, moves []optim.Move) {
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range n {
		batches = append(batches, rng.Perm(taskRows)[:rows])
		moves = append(moves, optim.Move{Rate: 1e-2 / float64(i+1), Scale: 1})
	}
	return batches, moves
}

func treeRand(step int) *rand.Rand { return rand.New(rand.NewPCG(9, uint64(step))) }

// plainly trains the same on the processor: heads in float64, the loss by its
// definition.
func (k task) plainly(batches [][]int, moves []optim.Move, most float64) (done []cuda.Done, params []*optim.Param) {
	params = append(params, k.l.Params()...)
	heads := []cuda.Head{k.e, k.h}
	for _, h := range heads {
		params = append(params, h.Weight, h.Bias)
	}
	adam := optim.NewAdamW(params, optim.AdamWOptions{})
	for step, rows := range batches {
		b := loss.Batch{Rand: treeRand(step)}
		u, g := make([][]float32, 2), make([][]float32, 2)
		for s, h := range heads {
			u[s], g[s] = make([]float32, len(rows)*taskDim), make([]float32, len(rows)*taskDim)
			for i, row := range rows {
				for j := range taskDim {
					sum := float64(h.Bias.Value[j])
					for t := range taskIn {
						sum += float64(h.Weight.Value[j*taskIn+t]) * float64(k.x.X[row*taskIn+t])
					}
					u[s][i*taskDim+j] = float32(sum)
				}
			}
		}
		for _, row := range rows {
			b.Label = append(b.Label, k.x.Label[row])
		}
		b.E, b.H, b.GE, b.GH = u[0], u[1], g[0], g[1]
		terms := k.l.Add(b, 1)
		for s, h := range heads {
			for i, row := range rows {
				for j := range taskDim {
					gy := g[s][i*taskDim+j]
					h.Bias.Grad[j] += gy
					for t := range taskIn {
						h.Weight.Grad[j*taskIn+t] += gy * k.x.X[row*taskIn+t]
					}
				}
			}
		}
		norm := optim.Norm(params)
		if most > 0 {
			optim.ClipNorm(params, most)
		}
		adam.Move(moves[step])
		done = append(done, cuda.Done{Loss: terms, Norm: norm})
	}
	return done, params
}

// TestHeadTrainer compares some steps with the same on the processor, by a graph
// and where the driver has none.
func TestHeadTrainer(t *testing.T) {
	for _, c := range []struct {
		name, settings string
		most           float64
	}{{"graph", "", 0}, {"clipped", "", 0.3}, {"no graphs", "cuStreamBeginCapture_v2:1:801,cuGraphInstantiateWithFlags:1:801", 0.3}} {
		t.Run(c.name, func(t *testing.T) {
			if c.settings != "" {
				fake(t, "")
			}
			d := open(t)
			if c.settings != "" {
				if err := fakecuda.Set(os.Getenv("CHEST_CUDA_DRIVER"), c.settings); err != nil {
					t.Fatal(err)
				}
			}
			batches, moves := schedule(5, 20)
			want, params := newTask(loss.CHESTOptions{}).plainly(batches, moves, c.most)
			k := newTask(loss.CHESTOptions{})
			h, err := cuda.NewHeadTrainer(k.l, k.e, k.h, k.x, cuda.HeadOptions{MaxNorm: c.most}, d)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			before := d.Counters()
			got, err := h.Steps(context.Background(), batches, moves, treeRand)
			if err != nil {
				t.Fatal(err)
			}
			if n := d.Counters().Waits - before.Waits; n > 3 {
				t.Errorf("%d waits in %d steps", n, len(batches))
			}
			for i, w := range want {
				if math.Abs(got[i].Loss.Total-w.Loss.Total) > 1e-4*w.Loss.Total || math.Abs(got[i].Loss.Tree-w.Loss.Tree) > 1e-4 || math.Abs(got[i].Norm-w.Norm) > 1e-3*w.Norm {
					t.Errorf("step %d: %+v, norm %g, want %+v, norm %g", i, got[i].Loss, got[i].Norm, w.Loss, w.Norm)
				}
			}
			if err := h.Sync(); err != nil {
				t.Fatal(err)
			}
			if h.Optimizer().Steps() != len(batches) {
				t.Errorf("%d steps are counted", h.Optimizer().Steps())
			}
			for i, p := range h.Params() {
				far := 0
				for j, v := range p.Value {
					if math.Abs(float64(v-params[i].Value[j])) > 1e-4 {
						far++
					}
				}
				if far > len(p.Value)/50 { // Adam moves entries without a gradient by the rate, either way
					t.Errorf("%d of %d entries of %s are more than 1e-4 off", far, len(p.Value), p.Name)
				}
			}
		})
	}
}

// TestHeadTrainerGraph: one graph serves calls of the same size, and another
// size gets another; results are as if there were none.
func TestHeadTrainerGraph(t *testing.T) {
	d := open(t)
	run := func(calls ...int) []float64 {
		k := newTask(loss.CHESTOptions{})
		h, err := cuda.NewHeadTrainer(k.l, k.e, k.h, k.x, cuda.HeadOptions{}, d)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		batches, moves := schedule(8, 16)
		small, _ := schedule(3, 7)
		if _, err := h.Steps(context.Background(), small, moves[:3], treeRand); err != nil {
			t.Fatal(err)
		}
		var all []float64
		at := 0
		for _, n := range calls {
			done, err := h.Steps(context.Background(), batches[at:at+n], moves[at:at+n], func(step int) *rand.Rand { return treeRand(at + step) })
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range done {
				all = append(all, s.Loss.Total, s.Norm)
			}
			at += n
		}
		return all
	}
	a, b := run(8), run(1, 4, 2, 1)
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("number %d is %g in one call, %g in several", i, a[i], b[i])
		}
	}
}

// TestHeadTrainerOneSpace: the other space needs no head.
func TestHeadTrainerOneSpace(t *testing.T) {
	d := open(t)
	for _, space := range []loss.Space{loss.OnlyE, loss.OnlyH} {
		k := newTask(loss.CHESTOptions{Space: space})
		h, err := cuda.NewHeadTrainer(k.l, k.e, k.h, k.x, cuda.HeadOptions{}, d)
		if err != nil {
			t.Fatal(err)
		}
		batches, moves := schedule(30, 25)
		done, err := h.Steps(context.Background(), batches, moves, treeRand)
		if err != nil {
			t.Fatal(err)
		}
		if first, last := done[0].Loss.Total, done[29].Loss.Total; !(last < 0.9*first) {
			t.Errorf("%v: the loss goes from %g to %g", space, first, last)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestHeadTrainerErrors(t *testing.T) {
	d := open(t)
	k := newTask(loss.CHESTOptions{})
	for _, c := range []struct {
		change func(k *task, x *cuda.Features)
		says   string
	}{
		{func(k *task, _ *cuda.Features) { k.e.Bias = nil }, "the head E has no weight or bias"},
		{func(k *task, _ *cuda.Features) { k.h.Weight = k.h.Bias }, "twice"},
		{func(k *task, _ *cuda.Features) { k.h.Bias = optim.NewParam("b", "head", 2) }, "the head H has 189 weights and 2 biases, want 9×21 and 9"},
		{func(_ *task, x *cuda.Features) { x.D = 20 }, "want 50×20"},
		{func(_ *task, x *cuda.Features) { x.Label = append([]int{12}, x.Label[1:]...) }, "label 12 of row 0"},
		{func(k *task, _ *cuda.Features) {
			k.l = loss.NewCHEST(taskClasses, taskDim, taskDim, loss.CHESTOptions{Tree: loss.HypHCOptions{Sampling: loss.BatchTriplets}})
		}, "Sampling"},
	} {
		k, x := k, k.x
		c.change(&k, &x)
		func() {
			defer func() {
				if r := recover(); r != nil && c.says != "twice" {
					panic(r)
				}
			}()
			if _, err := cuda.NewHeadTrainer(k.l, k.e, k.h, x, cuda.HeadOptions{}, d); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
		}()
	}
	h, err := cuda.NewHeadTrainer(k.l, k.e, k.h, k.x, cuda.HeadOptions{}, d)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	batches, moves := schedule(3, 10)
	bad := func(says string, b [][]int, m []optim.Move) {
		t.Helper()
		if _, err := h.Steps(context.Background(), b, m, treeRand); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one that says %q", err, says)
		}
	}
	bad("2 moves for 3 batches", batches, moves[:2])
	bad("batch 1 has 1 rows", [][]int{{1, 2}, {3}}, moves[:2])
	bad("row 50 in batch 0", [][]int{{50}}, moves[:1])
	if done, err := h.Steps(context.Background(), nil, nil, treeRand); err != nil || done != nil {
		t.Errorf("no batches: %v, %v", done, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if done, err := h.Steps(ctx, batches, moves, treeRand); !errors.Is(err, context.Canceled) || len(done) != 0 || !strings.Contains(err.Error(), "stopped after 0 of 3") {
		t.Errorf("cancelled: %v, %v", done, err)
	}
	if _, err := h.Steps(context.Background(), batches, moves, treeRand); err != nil {
		t.Error(err)
	}
}

// ending is a context that ends when it is looked at once more than so many times.
type ending struct {
	context.Context
	looks int
}

func (e *ending) Err() error {
	if e.looks--; e.looks < 0 {
		return context.Canceled
	}
	return nil
}

// TestInFlight: ctx is looked at before each step, and with two steps queued only
// after the first of them is done: an interrupt ends at most two steps later.
func TestInFlight(t *testing.T) {
	fake(t, "")
	path := os.Getenv("CHEST_CUDA_DRIVER")
	d := open(t)
	k := newTask(loss.CHESTOptions{})
	h, err := cuda.NewHeadTrainer(k.l, k.e, k.h, k.x, cuda.HeadOptions{}, d)
	if err != nil {
		t.Fatal(err)
	}
	batches, moves := schedule(20, 10)
	for looks := range 5 {
		done, err := h.Steps(&ending{context.Background(), looks}, batches, moves, treeRand)
		if !errors.Is(err, context.Canceled) || len(done) != looks {
			t.Errorf("%d looks at the context, %d steps are done, %v", looks, len(done), err)
		}
	}
	for _, c := range []struct{ waits, steps int64 }{{1, 2}, {2, 3}, {7, 8}} { // the wait after which nothing is queued
		if err := fakecuda.Set(path, fmt.Sprintf("cuEventSynchronize:%d:801", c.waits)); err != nil {
			t.Fatal(err)
		}
		before, err := fakecuda.Count(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Steps(context.Background(), batches, moves, treeRand); err == nil || !strings.Contains(err.Error(), "error 801") {
			t.Fatalf("wait %d: %v", c.waits, err)
		}
		after, err := fakecuda.Count(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := after.Graphs - before.Graphs; n != c.steps { // each is one by now
			t.Errorf("wait %d comes after %d steps, want %d", c.waits, n, c.steps)
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
