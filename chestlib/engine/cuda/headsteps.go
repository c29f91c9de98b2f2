package cuda

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Done is what one step found: the terms of its batch, and the norm of the
// whole gradient before clipping.
type Done struct {
	Loss loss.Terms
	Norm float64
}

// Steps trains on batches, each a list of rows of the features, all of one
// length; the optimiser moves as moves say, one for each. rng(i) draws the
// triplets of step i; nil draws the same ones in every step. It waits for the last step and returns what all found.
//
// Where a term or norm is not finite the params are lost: keep checkpoints. ctx is
// looked at before each step is queued, and no more than two are: the one that runs
// and the next. After the end of ctx these two are done, the rest is not, and the
// error says how many were.
func (t *HeadTrainer) Steps(ctx context.Context, batches [][]int, moves []optim.Move, rng func(step int) *rand.Rand) ([]Done, error) {
	if len(batches) == 0 {
		return nil, nil
	}
	if err := t.check(batches, moves); err != nil {
		return nil, err
	}
	var done []Done
	var stopped error
	err := t.e.d.set.Do(func() error {
		if err := t.prepare(batches, moves, rng); err != nil {
			return err
		}
		n, err := 0, error(nil)
		if n, stopped, err = t.walk(ctx, len(batches)); err != nil {
			return err
		}
		t.e.adam.host.SetSteps(t.e.adam.host.Steps() + n)
		t.e.consumed = true
		done, err = t.fetch(n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cuda: Steps: %w", err)
	}
	if stopped != nil {
		return done, fmt.Errorf("cuda: Steps: stopped after %d of %d: %w", len(done), len(batches), stopped)
	}
	return done, nil
}

// inFlight is how many steps are queued before the processor waits for the first of
// them: one that runs, and one so that the GPU need not wait for the processor.
const inFlight = 2

// walk queues so many steps, until ctx ends, and returns how many it queued and why
// not all.
func (t *HeadTrainer) walk(ctx context.Context, steps int) (n int, stopped, err error) {
	set := t.e.d.set
	var marks []driver.Event // after each step that may still run
	defer func() {
		var e *driver.Error
		if errors.As(err, &e) && e.Lost() { // a driver that hangs may hang again
			return
		}
		for _, m := range marks {
			err = errors.Join(err, set.FreeEvent(m))
		}
	}()
	for ; n < steps; n++ {
		if len(marks) == inFlight {
			if err := set.Await(marks[0]); err != nil {
				return n, nil, err
			}
			done := marks[0]
			marks = marks[1:]
			if err := set.FreeEvent(done); err != nil {
				return n, nil, err
			}
		}
		if stopped = ctx.Err(); stopped != nil {
			break
		}
		if err := t.one(n); err != nil {
			return n, nil, err
		}
		mark, err := set.Mark()
		if err != nil {
			return n, nil, err
		}
		marks = append(marks, mark)
	}
	return n, stopped, nil
}

// check finds batches and moves that do not fit.
func (t *HeadTrainer) check(batches [][]int, moves []optim.Move) error {
	if len(moves) != len(batches) {
		return fmt.Errorf("cuda: Steps: %d moves for %d batches", len(moves), len(batches))
	}
	for i, b := range batches {
		if len(b) != len(batches[0]) || len(b) == 0 {
			return fmt.Errorf("cuda: Steps: batch %d has %d rows, the first %d; want one length above 0", i, len(b), len(batches[0]))
		}
		for _, row := range b {
			if row < 0 || row >= len(t.labels) {
				return fmt.Errorf("cuda: Steps: row %d in batch %d, want one in [0, %d)", row, i, len(t.labels))
			}
		}
	}
	return nil
}

// prepare uploads what the steps need from the processor, and makes room.
func (t *HeadTrainer) prepare(batches [][]int, moves []optim.Move, rng func(step int) *rand.Rand) error {
	e, n := t.e, len(batches[0])
	if err := e.upload(); err != nil {
		return err
	}
	e.rows = n
	var index, draws []int32
	var numbers []float32
	label := make([]int, n)
	for i, b := range batches {
		for j, row := range b {
			index = append(index, int32(row))
			label[j] = t.labels[row]
		}
		if e.tree != nil {
			if rng == nil {
				e.tree.draw(label, e.def.TreeRand())
			} else {
				e.tree.draw(label, rng(i))
			}
			draws = append(draws, e.tree.ints...)
		}
		numbers = e.adam.numbersOf(numbers, e.adam.host.Steps()+i+1, moves[i])
	}
	m := &e.memory
	err := m.fits(&t.index, 4*len(index), &t.draws, 4*len(draws), &t.numbers, 4*len(numbers), &t.f, 4*n*t.d, &e.label, 4*n)
	if err != nil {
		return err
	}
	if e.tree != nil {
		if err := e.tree.upload(e.d.set, m); err != nil { // for the room; each step selects its own
			return err
		}
	}
	for _, h := range t.heads {
		if err := h.s.fit(e.d.set, m, n); err != nil {
			return err
		}
		parts := min(kernels.MostBlocks, h.weight.size())
		splits := e.d.set.Splits(h.s.d, t.width, n)
		if err := m.fits(&h.wNorm, 8*parts, &h.bNorm, 8*parts, &h.parts, 4*splits*h.weight.size()); err != nil {
			return err
		}
	}
	for _, l := range t.trunk {
		if err := l.fit(e.d.set, m, n); err != nil {
			return err
		}
	}
	mostSums := 16 + 2*len(t.trunk)
	if err := m.fit(&t.history, 8*mostSums*len(batches)); err != nil {
		return err
	}
	return errors.Join(m.d.UploadInts(t.index.at, index), m.d.UploadInts(t.draws.at, draws), m.d.UploadFloats(t.numbers.at, numbers), m.d.Clear(t.now.at, 4))
}

// one queues step i of a call: the first as it is, later ones as a graph.
func (t *HeadTrainer) one(i int) error {
	e := t.e
	r := recording{rows: e.rows, index: t.index.at.Address, draws: t.draws.at.Address, numbers: t.numbers.at.Address, history: t.history.at.Address, f: t.f.at.Address}
	for _, s := range e.spaces {
		r.gp, r.gx = r.gp^s.gp.at.Address, r.gx^s.gx.at.Address
	}
	for _, l := range t.trunk {
		r.gx = r.gx*31 + l.y.at.Address ^ l.g.at.Address
	}
	if t.graph != nil && r == t.recorded {
		return e.d.set.Replay(t.graph)
	}
	if i == 0 || t.graphless { // by the first all memory is made and all tables are uploaded
		return t.queue()
	}
	if err := t.forget(); err != nil {
		return err
	}
	g, err := e.d.set.Capture(t.queue)
	var known *driver.Error
	if errors.As(err, &known) && !known.Lost() { // no graphs here
		t.graphless = true
		return t.queue()
	}
	if err != nil {
		return err
	}
	t.graph, t.recorded = g, r
	return e.d.set.Replay(g)
}

// queue queues one step, of the number that now has.
func (t *HeadTrainer) queue() error {
	e, set, n := t.e, t.e.d.set, t.e.rows
	now := t.now.at
	err := errors.Join(set.GatherRows(t.f.at, t.store.at, t.index.at, now, n, t.d), set.GatherInts(e.label.at, t.classes.at, t.index.at, now, n))
	if err != nil {
		return err
	}
	if e.tree != nil {
		if err := set.SelectInts(e.tree.all.at, t.draws.at, now, len(e.tree.ints)); err != nil {
			return err
		}
	}
	if err := t.through(set); err != nil {
		return err
	}
	features := t.input(len(t.trunk)).at
	for _, h := range t.heads {
		p := kernels.Product{Form: kernels.NT, A: features, B: h.weight.w.at, C: h.s.u.at, M: n, N: h.s.d, K: t.width, Alpha: 1}
		if err := errors.Join(set.Gemm(p), set.AddBias(h.s.u.at, h.bias.w.at, n, h.s.d)); err != nil {
			return err
		}
		h.s.mapped = false
	}
	if err := e.step(true, false); err != nil {
		return err
	}
	t.norms = e.spaces[0].normSum
	for _, h := range t.heads {
		if err := t.backward(set, h); err != nil {
			return err
		}
	}
	if len(t.trunk) > 0 {
		if err := errors.Join(t.byFeatures(set), t.back(set)); err != nil {
			return err
		}
	}
	if err := e.sums.queue(set, &e.memory, t.history.at, now); err != nil {
		return err
	}
	return errors.Join(t.move(set), set.Advance(now))
}

// backward queues the gradients by a head.
func (t *HeadTrainer) backward(set *kernels.Set, h *head) error {
	err := linearGradients(set, h.weight, h.bias, h.parts, h.s.gu.at, t.input(len(t.trunk)).at, t.e.rows, h.s.d, t.width)
	return errors.Join(err, t.addNorms(set, h.weight, h.bias, &h.wNorm, &h.bNorm))
}

// linearGradients queues ∂W = gᵀ x and ∂b = Σ g of n rows g of out and x of in.
func linearGradients(set *kernels.Set, weight, bias *tensor, parts piece, g, x driver.Memory, n, out, in int) error {
	splits := set.Splits(out, in, n)
	err := set.Gemm(kernels.Product{Form: kernels.TN, A: g, B: x, C: parts.at, M: out, N: in, K: n, Alpha: 1, Splits: splits})
	if err != nil {
		return err
	}
	return errors.Join(set.SumSplits(weight.grad.at, parts.at, splits, weight.size()), set.ColumnSums(bias.grad.at, g, n, out))
}

// addNorms queues the squared norms of the gradients by a weight and a bias.
func (t *HeadTrainer) addNorms(set *kernels.Set, weight, bias *tensor, w, b *piece) error {
	for _, p := range []struct {
		to *piece
		of *tensor
	}{{w, weight}, {b, bias}} {
		parts, err := set.Squares(p.to.at, p.of.grad.at, p.of.size())
		if err != nil {
			return err
		}
		t.e.sums.add(p.to.at, parts)
	}
	return nil
}

// move queues AdamW.
func (t *HeadTrainer) move(set *kernels.Set) error {
	a := kernels.Adam{Tensors: t.e.adam.table.at, Numbers: t.numbers.at, Now: t.now.at, Count: len(t.e.adam.tensors), Blocks: t.e.adam.blocks}
	if t.most > 0 {
		a.Norms, a.Parts, a.Most = t.e.sums.out.at.At(8*(t.norms-1)), len(t.e.sums.words)/2-t.norms+1, t.most
	}
	return set.AdamW(a)
}

// fetch downloads what n steps found.
func (t *HeadTrainer) fetch(n int) ([]Done, error) {
	width := len(t.e.sums.words) / 2
	values := make([]float64, n*width)
	if err := errors.Join(t.e.d.set.DownloadDoubles(values, t.history.at), t.e.d.set.Finish()); err != nil {
		return nil, err
	}
	var all []Done
	for row := range slices.Chunk(values, max(width, 1)) {
		terms, _ := t.e.terms(row)
		var norm float64
		for _, nn := range row[t.norms-1:] {
			norm += nn
		}
		all = append(all, Done{Loss: terms, Norm: math.Sqrt(norm)})
	}
	return all, nil
}
